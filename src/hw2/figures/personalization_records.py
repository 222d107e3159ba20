"""The records that the section on personalisation is made of, read and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw2.figures import records
from hw2.figures.records import Interval
from hw2.io.files import load_arrays
from hw2.runtime.errors import UserError

METHODS = {
    "prompt_only": "Words alone, nothing learnt",
    "separate": "Learnt apart, one prompt",
    "joint": "Learnt together, with composites",
    "custom_diffusion_joint": "Custom Diffusion, joint",
    "custom_diffusion_merged": "Custom Diffusion, merged in closed form",
    "freecustom": "FreeCustom, nothing learnt",
    "photographs": "The photographs side by side",
}
SCORES = ("mean", "lesser", "text")
COLUMNS = ("concept", "step", "loss", "image", "text", "chosen")


@dataclass(frozen=True)
class Look:
    """Validation scores of a concept at a step."""

    step: int
    image: float
    text: float
    chosen: bool


@dataclass(frozen=True)
class Concept:
    """A concept that was graded.

    `scores` has image, text, word_image, word_text, image_gain and text_gain.
    """

    key: str
    token: str
    word: str
    prompts: tuple[str, ...]
    scores: dict[str, Interval]
    text_kept: float
    grades: tuple[dict[str, float], ...]
    losses: tuple[tuple[int, float], ...]
    looks: tuple[Look, ...]
    references: NDArray[np.uint8]
    strips: NDArray[np.uint8]  # (looks, images, S, S, 3)
    learnt: tuple[NDArray[np.uint8], ...]  # by prompt
    worded: tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True)
class Method:
    """A way to have two concepts.

    `trained` and `drawn` are pictures that passed the U-Net, for one seed.
    """

    name: str
    first: float
    second: float
    scores: dict[str, Interval]
    gain: Interval | None  # of the lesser one, over `separate`
    trained: int
    drawn: int
    bytes: int
    seeds: int
    images: NDArray[np.uint8] | None  # (prompts, N, S, S, 3)


@dataclass(frozen=True)
class Inversion:
    """All that is shown."""

    concepts: tuple[Concept, ...]
    methods: tuple[Method, ...]
    alignment: dict[str, Interval]
    pictures: NDArray[np.uint8] | None  # of the 48 classes
    passed: int
    cases: int


def read(
    *, metrics: Path, history: Path, looks: Path, samples: Path, several_images: Path
) -> Inversion:
    """Read every record of the section.

    Raises:
        UserError: a record is missing, incomplete or not finite.
    """
    record = records.mapping(metrics)
    rows = records.table(history, COLUMNS)
    looked, shown, several = (load_arrays(path) for path in (looks, samples, several_images))
    grades = _within(record, "grades", metrics)
    return Inversion(
        concepts=tuple(
            _concept(key, found, grades, rows, looked, shown, metrics)
            for key, found in _within(record, "concepts", metrics).items()
        ),
        methods=tuple(
            _method(name, found, several, metrics)
            for name, found in sorted(
                _within(record, "multi_concept", metrics).items(),
                key=lambda item: item[1]["position"],
            )
        ),
        alignment={
            name: _interval(found, "alignment", f"{metrics}, stable_diffusion, {name}")
            for name, found in record.get("stable_diffusion", {}).items()
        },
        pictures=shown.get("alignment"),
        passed=int(records.number(grades, "passed", f"{metrics}, grades")),
        cases=int(records.number(grades, "cases", f"{metrics}, grades")),
    )


def _within(record: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    found = record.get(key)
    if not isinstance(found, Mapping):
        raise UserError(f"{path}: no {key!r}; {records.REMAKE}")
    return found


def _interval(found: Mapping[str, Any], name: str, where: str) -> Interval:
    value, low, high = (
        records.number(found, f"{name}{end}", where) for end in ("", "_low", "_high")
    )
    return Interval(value, low, high, int(records.number(found, "n", where)))


def _concept(
    key: str, found: Mapping[str, Any], grades: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    looked: Mapping[str, NDArray[Any]], shown: Mapping[str, NDArray[Any]], path: Path,
) -> Concept:  # fmt: skip
    where = f"{path}, concepts, {key}"
    count = int(records.number(found, "prompts", where))
    names = ("image", "text", "word_image", "word_text", "image_gain", "text_gain")
    mine = [row for row in rows if str(row["concept"]) == key]
    wanted = [f"{key}_{k}" for k in ("prompts", "token", "word")]
    missing = [name for name in wanted if name not in shown]
    if missing or f"{key}_strips" not in looked or not mine:
        raise UserError(f"{path}: no record of concept {key} beside it; {records.REMAKE}")
    return Concept(
        key=key,
        token=str(shown[f"{key}_token"]),
        word=str(shown[f"{key}_word"]),
        prompts=tuple(map(str, shown[f"{key}_prompts"])),
        scores={name: _interval(found, name, where) for name in names},
        text_kept=records.number(found, "text_kept", where),
        grades=tuple(dict(_within(grades, f"{key}/{k}", path)) for k in range(count)),
        losses=tuple((int(r["step"]), r["loss"]) for r in mine if r["loss"] is not None),
        looks=tuple(
            Look(int(r["step"]), float(r["image"]), float(r["text"]), bool(r["chosen"]))
            for r in mine
            if r["image"] is not None
        ),
        references=looked[f"{key}_references"],
        strips=looked[f"{key}_strips"],
        learnt=tuple(shown[f"{key}_learnt_{k}"] for k in range(count)),
        worded=tuple(shown[f"{key}_word_{k}"] for k in range(count)),
    )


def _method(
    name: str, found: Mapping[str, Any], images: Mapping[str, NDArray[Any]], path: Path
) -> Method:
    where = f"{path}, multi_concept, {name}"
    return Method(
        name=name,
        first=records.number(found, "first", where),
        second=records.number(found, "second", where),
        scores={k: _interval(found, k, where) for k in SCORES if k in found},
        gain=_interval(found, "lesser_gain", where) if "lesser_gain" in found else None,
        trained=int(records.number(found, "trained", where)),
        drawn=int(records.number(found, "drawn", where)),
        bytes=int(records.number(found, "bytes", where)),
        seeds=int(records.number(found, "seeds", where)),
        images=images.get(name),
    )

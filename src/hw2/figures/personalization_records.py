"""Reads and checks the records of the section on personalization."""

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
    "prompt_only": "Prompt only",
    "separate": "Separate",
    "joint": "Joint",
    "custom_diffusion_joint": "Custom Diffusion (joint)",
    "custom_diffusion_merged": "Custom Diffusion (merged)",
    "freecustom": "FreeCustom",
    "photographs": "Composited photographs",
}
SCORES = ("mean", "lesser", "text")
COLUMNS = ("concept", "step", "loss", "image", "text", "chosen")


@dataclass(frozen=True)
class Snapshot:
    """Validation scores of a concept at a training step."""

    step: int
    image: float
    text: float
    chosen: bool


@dataclass(frozen=True)
class Concept:
    """A graded concept.

    `scores` has the keys image, text, word_image, word_text, image_gain and text_gain, where
    `word` is the initializer. `recognized` are shares of images in which a classifier recognizes
    the concept, with the token and with the initializer; photographs of one's own have none.
    """

    key: str
    token: str
    initializer: str
    prompts: tuple[str, ...]
    scores: dict[str, Interval]
    recognized: tuple[Interval, Interval] | None
    ceiling: Interval | None  # the same share of photographs through the autoencoder
    grades: tuple[dict[str, float], ...]
    losses: tuple[tuple[int, float], ...]
    snapshots: tuple[Snapshot, ...]
    references: NDArray[np.uint8]
    strips: NDArray[np.uint8]  # (snapshots, images, S, S, 3)
    learned_images: tuple[NDArray[np.uint8], ...]  # with the learned token, by prompt
    initializer_images: tuple[NDArray[np.uint8], ...]  # with the initializer, by prompt


@dataclass(frozen=True)
class Method:
    """A multi-concept method for a pair of concepts.

    `trained` and `sampled` count images through the U-Net in training and sampling, for one seed.
    """

    pair: str
    name: str
    first: float
    second: float
    scores: dict[str, Interval]
    gain: Interval | None  # of the lower image score, over `separate`
    recognized: Interval | None  # share of images in which a classifier recognizes both concepts
    recognized_gain: Interval | None  # of that share, over `separate`
    ceiling: Interval | None  # the same share of photographs of both through the autoencoder
    trained: int
    sampled: int
    bytes: int
    seeds: int
    prompts: tuple[str, ...]
    images: NDArray[np.uint8] | None  # (prompts, N, S, S, 3) of the first seed


@dataclass(frozen=True)
class Records:
    """Everything the section shows."""

    concepts: tuple[Concept, ...]
    methods: tuple[Method, ...]
    alignment: dict[str, Interval]
    passed: int
    cases: int


def read(
    *,
    personalization_details: Path,
    personalization_history: Path,
    personalization_snapshots: Path,
    personalization_samples: Path,
    multi_concept_images: Path,
) -> Records:
    """Read every record of the section.

    Raises:
        UserError: a record is missing, incomplete or not finite.
    """
    record = records.mapping(personalization_details)
    rows = records.table(personalization_history, COLUMNS)
    snapshots, shown, images = (
        load_arrays(path)
        for path in (personalization_snapshots, personalization_samples, multi_concept_images)
    )
    grades = _section(record, "grades", personalization_details)
    judge = record.get("judge", {})
    return Records(
        concepts=tuple(
            _concept(key, scores, grades, judge, rows, snapshots, shown, personalization_details)
            for key, scores in _section(record, "concepts", personalization_details).items()
        ),
        methods=_methods(
            _section(record, "multi_concept", personalization_details),
            judge,
            images,
            personalization_details,
        ),
        alignment={
            name: _interval(
                scores, "alignment", f"{personalization_details}, stable_diffusion, {name}"
            )
            for name, scores in record.get("stable_diffusion", {}).items()
        },
        passed=int(records.number(grades, "passed", f"{personalization_details}, grades")),
        cases=int(records.number(grades, "cases", f"{personalization_details}, grades")),
    )


def _section(record: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    scores = record.get(key)
    if not isinstance(scores, Mapping):
        raise UserError(f"{path}: {key!r} is missing; {records.REMAKE}")
    return scores


def _interval(scores: Mapping[str, Any], name: str, where: str) -> Interval:
    value, low, high = (
        records.number(scores, f"{name}{end}", where) for end in ("", "_low", "_high")
    )
    return Interval(value, low, high, int(records.number(scores, "n", where)))


def _concept(
    key: str, scores: Mapping[str, Any], grades: Mapping[str, Any], judge: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    snapshots: Mapping[str, NDArray[Any]], shown: Mapping[str, NDArray[Any]], path: Path,
) -> Concept:  # fmt: skip
    where = f"{path}, concepts, {key}"
    count = int(records.number(scores, "prompts", where))
    names = ("image", "text", "word_image", "word_text", "image_gain", "text_gain")
    history = [row for row in rows if str(row["concept"]) == key]
    required = [f"{key}_{k}" for k in ("prompts", "token", "word")]
    missing = [name for name in required if name not in shown]
    if missing or f"{key}_strips" not in snapshots or not history:
        raise UserError(f"{path}: other records lack concept {key}; {records.REMAKE}")
    return Concept(
        key=key,
        token=str(shown[f"{key}_token"]),
        initializer=str(shown[f"{key}_word"]),
        prompts=tuple(map(str, shown[f"{key}_prompts"])),
        scores={name: _interval(scores, name, where) for name in names},
        recognized=_recognized(scores, where),
        ceiling=_ceiling(judge, key, path),
        grades=tuple(dict(_section(grades, f"{key}/{k}", path)) for k in range(count)),
        losses=tuple((int(r["step"]), r["loss"]) for r in history if r["loss"] is not None),
        snapshots=tuple(
            Snapshot(int(r["step"]), float(r["image"]), float(r["text"]), bool(r["chosen"]))
            for r in history
            if r["image"] is not None
        ),
        references=snapshots[f"{key}_references"],
        strips=snapshots[f"{key}_strips"],
        learned_images=tuple(shown[f"{key}_learned_{k}"] for k in range(count)),
        initializer_images=tuple(shown[f"{key}_word_{k}"] for k in range(count)),
    )


def _recognized(scores: Mapping[str, Any], where: str) -> tuple[Interval, Interval] | None:
    if "recognized" not in scores:
        return None
    return (
        _interval(scores["recognized"], "share", where),
        _interval(scores["word_recognized"], "share", where),
    )


def _ceiling(judge: Mapping[str, Any], name: str, path: Path) -> Interval | None:
    """The share of reconstructed photographs that the judge recognizes, of a concept or a pair."""
    scores = judge.get(name, {}).get("reconstructed")
    return _interval(scores, "share", f"{path}, judge, {name}") if scores else None


def _methods(
    record: Mapping[str, Any], judge: Mapping[str, Any], images: Mapping[str, NDArray[Any]],
    path: Path,
) -> tuple[Method, ...]:  # fmt: skip
    """The methods of all pairs, in the order of the comparison's table."""
    listed = [
        (pair, name, scores)
        for pair in record
        for name, scores in _section(record, pair, path).items()
    ]
    listed.sort(key=lambda item: item[2]["position"])
    return tuple(
        _method(pair, name, scores, _ceiling(judge, pair, path), images, path)
        for pair, name, scores in listed
    )


def _method(
    pair: str,
    name: str,
    scores: Mapping[str, Any],
    ceiling: Interval | None,
    images: Mapping[str, NDArray[Any]],
    path: Path,
) -> Method:
    where = f"{path}, multi_concept, {pair}, {name}"
    drawn, recognized = images.get(f"{pair}/{name}"), scores.get("recognized", {})
    return Method(
        pair=pair,
        name=name,
        first=records.number(scores, "first", where),
        second=records.number(scores, "second", where),
        scores={k: _interval(scores, k, where) for k in SCORES if k in scores},
        gain=_interval(scores, "lesser_gain", where) if "lesser_gain" in scores else None,
        recognized=_interval(recognized, "share", where) if recognized else None,
        recognized_gain=_interval(recognized, "gain", where) if "gain" in recognized else None,
        ceiling=ceiling,
        trained=int(records.number(scores, "trained", where)),
        sampled=int(records.number(scores, "sampled", where)),
        bytes=int(records.number(scores, "bytes", where)),
        seeds=int(records.number(scores, "seeds", where)),
        prompts=tuple(map(str, images.get(f"{pair}/prompts", ()))),
        images=None if drawn is None else drawn[0],
    )

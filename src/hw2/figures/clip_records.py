"""Reads and checks the records of the section on zero-shot classification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw2.figures import records
from hw2.figures.records import Interval
from hw2.runtime.errors import UserError

TOP = 5
CLASS_COLUMNS = ("model", "class", "accuracy", "confused_with", "confusions")
COLUMNS = ("model", "prompts", "image", "true", "correct", "class1", "confidence1")
TRUE, PREDICTED = "true_", "predicted_"  # before the names of attributes, in columns


@dataclass(frozen=True)
class Row:
    """One model with one prompt set."""

    model: str
    prompts: str
    templates: int  # how many are averaged
    acc1: Interval
    acc5: Interval
    recall: float  # mean over classes
    gain: Interval | None  # over the model's first prompt set; None for that
    p: float | None  # McNemar's, of the same comparison
    model_gain: Interval | None  # over the first model with the same prompts; None for that
    model_p: float | None
    groups: dict[str, Interval]


@dataclass(frozen=True)
class Prediction:
    """The true class of an image and the classes that the model finds most likely."""

    image: str
    true: str
    top: tuple[tuple[str, float], ...]  # class and confidence, best first

    @property
    def correct(self) -> bool:
        return self.top[0][0] == self.true


@dataclass(frozen=True)
class Attribute:
    """One of the two attributes that make up a class: its value in every prediction."""

    name: str
    true: tuple[str, ...]  # of the true class
    predicted: tuple[str, ...]  # of the most likely class

    @property
    def values(self) -> tuple[str, ...]:
        """Every value: those of true classes in the order of the images, then the others."""
        return tuple(dict.fromkeys((*self.true, *self.predicted)))


@dataclass(frozen=True)
class Example:
    """A prediction and its image, uint8 (H, W, 3)."""

    prediction: Prediction
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class ClassAccuracy:
    """The accuracy of a class, and its most frequent wrong prediction with its number."""

    name: str
    accuracy: Interval
    confused_with: str | None
    confusions: int


@dataclass(frozen=True)
class Records:
    """Everything the section shows."""

    rows: tuple[Row, ...]  # model by model
    shown_model: str  # the first model; `predictions` and `examples` are its
    prompts: str  # the prompt set of `predictions` and `examples`
    predictions: tuple[Prediction, ...]
    attributes: tuple[Attribute, ...]  # of the classes of `predictions`; none or two
    classes: tuple[ClassAccuracy, ...]
    examples: tuple[Example, ...]

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.model for row in self.rows))

    def of(self, model: str) -> tuple[Row, ...]:
        """The rows of a model, in the order of the prompt sets."""
        return tuple(row for row in self.rows if row.model == model)


def read(
    *, clip_details: Path, clip_predictions: Path, clip_classes: Path, clip_examples: Path
) -> Records | None:
    """Read every record of the section; None if there are no models.

    Raises:
        UserError: a record is missing, incomplete or not finite.
    """
    record = records.mapping(clip_details)
    if not record:
        return None
    table = records.table(clip_predictions, COLUMNS)
    attributes = _attribute_names(table[0], clip_predictions)
    order = list(dict.fromkeys(str(row["model"]) for row in table))
    shown_model = order[0]
    shown = {line: row for line, row in enumerate(table, 2) if str(row["model"]) == shown_model}
    predictions = tuple(
        _prediction(row, f"{clip_predictions}, line {line}") for line, row in shown.items()
    )
    missing = [name for name in order if not isinstance(record.get(name), Mapping)]
    if missing:
        raise UserError(f"{clip_details}: no {missing[0]!r}; {records.REMAKE}")
    rows = tuple(
        row
        for name in order
        for row in _rows(name, record[name], clip_details, name == shown_model)
    )
    return Records(
        rows=rows,
        shown_model=shown_model,
        prompts=str(table[0]["prompts"]),
        predictions=predictions,
        attributes=tuple(_attribute(name, list(shown.values())) for name in attributes),
        classes=_classes(clip_classes, shown_model),
        examples=_examples(clip_examples, predictions),
    )


def _prediction(row: Mapping[str, Any], where: str) -> Prediction:
    top = tuple(
        (str(row[f"class{k}"]), records.number(row, f"confidence{k}", where))
        for k in range(1, TOP + 1)
        if row.get(f"class{k}") is not None
    )
    return Prediction(str(row["image"]), str(row["true"]), top)


def _attribute_names(row: Mapping[str, Any], path: Path) -> list[str]:
    """The names of the attributes of the classes, from the columns of the table."""
    names = [column.removeprefix(TRUE) for column in row if column.startswith(TRUE)]
    absent = [name for name in names if f"{PREDICTED}{name}" not in row]
    if absent:
        raise UserError(f"{path}: no column '{PREDICTED}{absent[0]}'; {records.REMAKE}")
    return names


def _attribute(name: str, rows: Sequence[Mapping[str, Any]]) -> Attribute:
    true, predicted = (
        tuple(str(row[f"{kind}{name}"]) for row in rows) for kind in (TRUE, PREDICTED)
    )
    return Attribute(name, true, predicted)


def _classes(path: Path, model: str) -> tuple[ClassAccuracy, ...]:
    rows = []
    for line, row in enumerate(records.table(path, CLASS_COLUMNS), start=2):
        where = f"{path}, line {line}"
        if str(row["model"]) == model:
            confused_with = row["confused_with"]
            rows.append(
                ClassAccuracy(
                    name=str(row["class"]),
                    accuracy=records.accuracy(row, where),
                    confused_with=None if confused_with is None else str(confused_with),
                    confusions=int(records.number(row, "confusions", where)),
                )
            )
    return tuple(rows)


def _rows(model: str, record: Mapping[str, Any], path: Path, first_model: bool) -> list[Row]:
    rows = []
    for name, scores in sorted(record.items(), key=lambda item: item[1].get("position", 0)):
        where = f"{path}, {model}, {name}"
        first = int(records.number(scores, "position", where)) == 0
        gain, p = _comparison(scores, "", where)
        model_gain, model_p = _comparison(scores, "model_", where)
        rows.append(
            Row(
                model=model,
                prompts=name,
                templates=int(records.number(scores, "prompts", where)),
                acc1=_share(scores, "acc1", where),
                acc5=_share(scores, "acc5", where),
                recall=records.number(scores, "recall", where),
                gain=None if first else gain,
                p=None if first else p,
                model_gain=None if first_model else model_gain,
                model_p=None if first_model else model_p,
                groups={
                    group: _share(inner, "acc1", f"{where}, {group}")
                    for group, inner in scores.get("groups", {}).items()
                },
            )
        )
    return rows


def _comparison(scores: Mapping[str, Any], prefix: str, where: str) -> tuple[Interval, float]:
    value, low, high = (
        records.number(scores, f"{prefix}gain{end}", where) for end in ("", "_low", "_high")
    )
    n = int(records.number(scores, "n", where))
    return Interval(value, low, high, n), records.number(scores, f"{prefix}p", where)


def _share(scores: Mapping[str, Any], name: str, where: str) -> Interval:
    """An accuracy under another name than `accuracy`."""
    names = {
        "accuracy": name,
        "accuracy_low": f"{name}_low",
        "accuracy_high": f"{name}_high",
        "n": "n",
    }
    renamed = {key: records.number(scores, source, where) for key, source in names.items()}
    return records.accuracy(renamed, where)


def _examples(path: Path, predictions: tuple[Prediction, ...]) -> tuple[Example, ...]:
    stored = records.arrays(path, ("images", "files"))
    by_name = {prediction.image: prediction for prediction in predictions}
    files = [str(file) for file in stored["files"]]
    absent = [file for file in files if file not in by_name]
    if absent or stored["images"].dtype != np.uint8 or len(files) != len(stored["images"]):
        raise UserError(f"{path}: not the examples of these predictions; {records.REMAKE}")
    return tuple(Example(by_name[f], i) for f, i in zip(files, stored["images"], strict=True))

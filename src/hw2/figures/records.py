"""Typed, checked reading of the records that stages write for the figures.

A record that is missing, incomplete or not finite becomes one `UserError` line that names the
file and the position in it; a figure is never drawn from an incomplete record.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw2.digits.labels import LABELED_DOMAINS
from hw2.io.files import load_arrays, read_json, read_table
from hw2.runtime.errors import UserError

REMAKE = "rerun the stage that writes it"

SWEEP_COLUMNS = (
    *("kind", "domain", "sampler", "steps", "network_calls", "guidance_scale"),
    *("n", "accuracy", "accuracy_low", "accuracy_high"),
    *("kernel_distance", "kernel_distance_low", "kernel_distance_high"),
    *("recall", "recall_low", "recall_high", "recall_real"),
)


@dataclass(frozen=True)
class Interval:
    """A measured value with its 95 % interval; accuracies lie in [0, 1]."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Quality:
    """One sample-quality measure of a domain, for generated images and for real ones."""

    generated: float
    real: float


Scores = dict[str, Interval]  # accuracy by domain; "all" is over every domain


@dataclass(frozen=True)
class Setting:
    """One row of `sweep.csv`: a sampler at a guidance scale, judged on one domain or on all."""

    kind: str
    domain: str
    sampler: str
    steps: int
    network_calls: int  # per image
    guidance_scale: float
    accuracy: Interval
    kernel_distance: Interval  # to real images, in the judge's features
    recall: Interval
    recall_real: float  # of other real images in place of the generated ones


@dataclass(frozen=True)
class Candidate:
    """Guidance that was evaluated, with its scores."""

    guidance_scale: float
    interval: tuple[float, float]  # the noise levels that it applies to, as fractions
    accuracy: Interval
    frechet: float  # relative to that of real images, like recall
    recall: float


@dataclass(frozen=True)
class Choice:
    """`guidance.json`: the selected guidance and the candidates."""

    guidance_scale: float
    interval: tuple[float, float]
    color: float  # share of the guidance that may change colors
    split: str  # the split of the data (or of the random streams) of the choice; "" for none
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate | None:
        """The selected candidate, or None for a scale set in params.yaml."""
        if not self.split:
            return None
        mine = (self.guidance_scale, self.interval)
        return next((c for c in self.candidates if (c.guidance_scale, c.interval) == mine), None)

    @property
    def label(self) -> str:
        """The scale and the split on which it was selected, if it was."""
        if self.chosen is None:
            return f"s = {self.guidance_scale:g}, set in params.yaml"
        return f"s = {self.guidance_scale:g}, selected on the {self.split} split"


@dataclass(frozen=True)
class History:
    """`history.csv`: float64 arrays of equal length, one entry per logged step."""

    step: NDArray[np.float64]
    loss: NDArray[np.float64]


def number(record: Mapping[str, Any], key: str, where: str) -> float:
    """Return `record[key]` as a finite float.

    Raises:
        UserError: the key is absent, or its value is not a finite number.
    """
    if key not in record:
        raise UserError(f"{where}: '{key}' is missing; {REMAKE}")
    entry = record[key]
    value = float(entry) if isinstance(entry, int | float) else math.nan
    if not math.isfinite(value):
        raise UserError(f"{where}: '{key}' is {entry!r}, not a finite number; {REMAKE}")
    return value


def accuracy(record: Mapping[str, Any], where: str) -> Interval:
    """Return `record`'s accuracy with its interval; see `share`."""
    return share(record, "accuracy", where)


def share(record: Mapping[str, Any], name: str, where: str) -> Interval:
    """Return the share `name` of `record` with its interval, `<name>_low` to `<name>_high`.

    Raises:
        UserError: a key is absent, n is below 1, or not 0 <= low <= share <= high <= 1.
    """
    interval = Interval(
        number(record, name, where),
        number(record, f"{name}_low", where),
        number(record, f"{name}_high", where),
        int(number(record, "n", where)),
    )
    ordered = (0.0, interval.low, interval.value, interval.high, 1.0)
    if any(b < a - 1e-6 for a, b in pairwise(ordered)) or interval.n < 1:
        raise UserError(
            f"{where}: {name} {interval.value:g} in [{interval.low:g}, {interval.high:g}], "
            f"n = {interval.n}, "
            f"is not a share with its interval; {REMAKE}"
        )
    return interval


def scores(record: Mapping[str, Any], where: str, required: Sequence[str]) -> Scores:
    """Return the accuracies of a metrics record: its own as "all", and one per domain in it.

    Raises:
        UserError: one of `required` is absent, or a value is not a share with its interval.
    """
    accuracies = {"all": accuracy(record, where)} if "accuracy" in record else {}
    for domain in LABELED_DOMAINS:
        if isinstance(record.get(domain), Mapping):
            accuracies[domain] = accuracy(record[domain], f"{where}, {domain}")
    absent = [name for name in required if name not in accuracies]
    if absent:
        raise UserError(f"{where}: no accuracy of {', '.join(absent)}; {REMAKE}")
    return accuracies


def table(path: Path, columns: Iterable[str]) -> Sequence[Mapping[str, Any]]:
    """Return the rows of a csv file that has at least one row and all `columns`.

    Raises:
        UserError: the file is missing, empty, or lacks a column.
    """
    rows = read_table(path)
    if not rows:
        raise UserError(f"{path}: no rows; {REMAKE}")
    absent = [column for column in columns if column not in rows[0]]
    if absent:
        raise UserError(f"{path}: no column {', '.join(map(repr, absent))}; {REMAKE}")
    return rows


def mapping(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`.

    Raises:
        UserError: the file is missing or holds something other than an object.
    """
    record = read_json(path)
    if not isinstance(record, dict):
        raise UserError(f"{path}: a JSON object is expected; {REMAKE}")
    return record


def arrays(path: Path, keys: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz file that holds at least `keys`.

    Raises:
        UserError: the file is missing or lacks an array.
    """
    loaded = load_arrays(path)
    absent = [key for key in keys if key not in loaded]
    if absent:
        raise UserError(f"{path}: no array {', '.join(map(repr, absent))}; {REMAKE}")
    return loaded


def sweep(path: Path) -> list[Setting]:
    """Read `sweep.csv`.

    Raises:
        UserError: a column is missing, or a cell is not a finite number in its range.
    """
    rows = table(path, SWEEP_COLUMNS)
    return [_setting(row, f"{path}, line {line}") for line, row in enumerate(rows, start=2)]


def _setting(row: Mapping[str, Any], where: str) -> Setting:
    share = accuracy(row, where)

    def measured(name: str) -> Interval:
        value, low, high = (number(row, f"{name}{end}", where) for end in ("", "_low", "_high"))
        return Interval(value, low, high, share.n)

    return Setting(
        kind=str(row["kind"]),
        domain=str(row["domain"]),
        sampler=str(row["sampler"]),
        steps=int(number(row, "steps", where)),
        network_calls=int(number(row, "network_calls", where)),
        guidance_scale=number(row, "guidance_scale", where),
        accuracy=share,
        kernel_distance=measured("kernel_distance"),
        recall=measured("recall"),
        recall_real=number(row, "recall_real", where),
    )


def choice(path: Path) -> Choice:
    """Read `guidance.json`.

    Raises:
        UserError: a key is missing, or a value is not a finite number in its range.
    """
    record = mapping(path)
    for key in ("split", "candidates"):
        if key not in record:
            raise UserError(f"{path}: '{key}' is missing; {REMAKE}")
    candidates = [
        Candidate(
            number(c, "guidance_scale", where),
            (number(c, "interval_low", where), number(c, "interval_high", where)),
            accuracy(c, where),
            *(number(c, measure, where) for measure in ("frechet", "recall")),
        )
        for k, c in enumerate(record["candidates"] or ())
        for where in (f"{path}, candidate {k}",)
    ]
    guidance_scale, color = (number(record, key, str(path)) for key in ("guidance_scale", "color"))
    interval, split = _pair(record, path), record["split"] or ""
    return Choice(guidance_scale, interval, color, split, tuple(candidates))


def _pair(record: Mapping[str, Any], path: Path) -> tuple[float, float]:
    """The interval of noise levels of `guidance.json`."""
    ends = record.get("interval")
    if not isinstance(ends, list) or len(ends) != 2:
        raise UserError(f"{path}: 'interval' is not a pair of numbers; {REMAKE}")
    low, high = (number({"interval": end}, "interval", str(path)) for end in ends)
    return low, high


def history(path: Path) -> History:
    """Read `history.csv`.

    Raises:
        UserError: a column is missing, or a cell is not a finite number.
    """
    names = ("step", "loss")
    rows = table(path, names)
    columns = [
        np.array([number(row, name, f"{path}, line {k}") for k, row in enumerate(rows, start=2)])
        for name in names
    ]
    return History(*columns)

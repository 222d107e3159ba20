"""The records that the section on domain adaptation is made of, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw2.config.schema.dann_methods import TITLES
from hw2.figures import records
from hw2.figures.records import Interval
from hw2.runtime.errors import UserError

BASE = "source_only"
HISTORY = ("pair", "method", "seed", "step", "label", "domain", "kept")
TSNE = ("pair", "method", "domain", "digit", "x", "y")


def method_name(method: str) -> str:
    """The name of a method in the report."""
    return TITLES.get(method, method)


def method_order(method: str) -> int:
    """The position of a method in tables and legends."""
    return list(TITLES).index(method) if method in TITLES else len(TITLES)


@dataclass(frozen=True)
class Result:
    """One method on one pair: means over its trainings."""

    method: str
    accuracy: Interval  # on the target's test split
    trainings: int
    spread: float | None  # standard deviation over the trainings; None for a single one
    gain: Interval | None  # over source_only; None for source_only
    source_accuracy: float
    a_distance: float


@dataclass(frozen=True)
class Curve:
    """A number during the trainings of one method on one pair: float64 (trainings, steps)."""

    step: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Cloud:
    """Features of one method on one pair in the plane."""

    places: NDArray[np.float64]  # (N, 2)
    digits: NDArray[np.int64]  # (N,)
    domains: tuple[str, ...]  # N names


@dataclass(frozen=True)
class Pair:
    """All that is shown of one pair of domains."""

    source: str
    target: str
    name: str  # of its files: the target, or source and target where two pairs share it
    results: tuple[Result, ...]
    curves: dict[str, dict[str, Curve]]  # column of the history -> method -> curve
    clouds: dict[str, Cloud]  # method -> cloud, before adaptation first

    def result(self, method: str) -> Result | None:
        """The result of a method, or None if the pair has none."""
        return next((result for result in self.results if result.method == method), None)


def read(*, dann_metrics: Path, dann_history: Path, dann_tsne: Path) -> list[Pair]:
    """Read every record of the section; no pairs where adaptation was left out.

    Raises:
        UserError: a record is missing, incomplete or not finite.
    """
    record = records.mapping(dann_metrics)
    if not record:
        return []
    names = [_domains(name, dann_metrics) for name in record]
    targets = [target for _, target in names]
    steps = records.table(dann_history, HISTORY)
    points = records.table(dann_tsne, TSNE)
    return [
        Pair(
            source=source,
            target=target,
            name=target if targets.count(target) == 1 else f"{source}_{target}",
            results=_results(record[key], f"{dann_metrics}, {key}"),
            curves={
                column: _curves([r for r in steps if r["pair"] == key], column, dann_history)
                for column in ("label", "domain", "kept")
            },
            clouds=_clouds([r for r in points if r["pair"] == key], f"{dann_tsne}, {key}"),
        )
        for key, (source, target) in zip(record, names, strict=True)
    ]


def _domains(name: str, path: Path) -> tuple[str, str]:
    source, arrow, target = name.partition("->")
    if not (source and arrow and target):
        raise UserError(f"{path}: '{name}' is no source->target; {records.REMAKE}")
    return source, target


def _results(record: Any, where: str) -> tuple[Result, ...]:
    if not isinstance(record, Mapping) or not isinstance(record.get(BASE), Mapping):
        raise UserError(f"{where}: '{BASE}' is missing; {records.REMAKE}")
    results = [_result(method, inner, f"{where}, {method}") for method, inner in record.items()]
    return tuple(sorted(results, key=lambda result: method_order(result.method)))


def _result(method: str, record: Mapping[str, Any], where: str) -> Result:
    gain = None
    if method != BASE:
        value, low, high = (
            records.number(record, key, where) for key in ("gain", "gain_low", "gain_high")
        )
        gain = Interval(value, low, high, int(records.number(record, "n", where)))
    return Result(
        method=method,
        accuracy=records.accuracy(record, where),
        trainings=int(records.number(record, "trainings", where)),
        spread=records.number(record, "spread", where) if "spread" in record else None,
        gain=gain,
        source_accuracy=records.number(record, "source_accuracy", where),
        a_distance=records.number(record, "a_distance", where),
    )


def _curves(rows: list[Mapping[str, Any]], column: str, path: Path) -> dict[str, Curve]:
    """The curve of `column` of each method that has it."""
    curves: dict[str, Curve] = {}
    for method in dict.fromkeys(str(row["method"]) for row in rows):
        mine = [row for row in rows if row["method"] == method and row[column] is not None]
        lines = [
            [row for row in mine if row["seed"] == seed]
            for seed in dict.fromkeys(row["seed"] for row in mine)
        ]
        if len({len(line) for line in lines}) > 1:
            raise UserError(f"{path}: trainings of {method} differ in length; {records.REMAKE}")
        if lines:
            where = f"{path}, {method}"
            values = [[records.number(row, column, where) for row in line] for line in lines]
            steps = [records.number(row, "step", where) for row in lines[0]]
            curves[method] = Curve(np.array(steps), np.array(values))
    return curves


def _clouds(rows: list[Mapping[str, Any]], where: str) -> dict[str, Cloud]:
    if not rows:
        raise UserError(f"{where}: no points; {records.REMAKE}")
    clouds = {}
    for method in dict.fromkeys(str(row["method"]) for row in rows):
        mine = [row for row in rows if row["method"] == method]
        clouds[method] = Cloud(
            np.array([[records.number(row, axis, where) for axis in "xy"] for row in mine]),
            np.array([int(records.number(row, "digit", where)) for row in mine]),
            tuple(str(row["domain"]) for row in mine),
        )
    return clouds

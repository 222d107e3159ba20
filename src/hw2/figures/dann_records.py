"""Reads and checks the records of the section on domain adaptation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw2.config.schema.dann_methods import TITLES
from hw2.digits.labels import NUM_DIGITS
from hw2.figures import architecture, records
from hw2.figures.architecture import Layer
from hw2.figures.records import Interval
from hw2.runtime.errors import UserError

BASE = "source_only"
UNTRAINED = math.log(NUM_DIGITS) / 2  # label loss, half of that of guessing
CONVERGED = 0.5  # label loss below which a training counts as done
HISTORY = ("trained_on", "method", "seed", "step", "label", "domain", "kept")
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
    trained_on: str  # a single domain, or source->target
    labeled_images: int  # in a step, like the next number
    unlabeled_images: int
    accuracy: Interval  # on the target's test split
    trainings: int
    spread: float | None  # standard deviation over the trainings; None for a single training
    gain: Interval | None  # over source_only; None for source_only
    source_accuracy: float
    a_distance: float

    @property
    def single_domain(self) -> str | None:
        """The domain that the method is trained on, if it reads no other one."""
        return None if "->" in self.trained_on else self.trained_on


@dataclass(frozen=True)
class Curve:
    """A logged value of one method on one pair: float64 (trainings, steps)."""

    step: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Embedding:
    """t-SNE of the features of one method on one pair."""

    points: NDArray[np.float64]  # (N, 2)
    digits: NDArray[np.int64]  # (N,)
    domains: tuple[str, ...]  # N names


@dataclass(frozen=True)
class Pair:
    """Everything the section shows of one pair of domains."""

    source: str
    target: str
    name: str  # in file names: the target, or source and target if two pairs share the target
    results: tuple[Result, ...]
    curves: dict[str, dict[str, Curve]]  # column of the history -> method -> curve
    embeddings: dict[str, Embedding]  # by method, before adaptation first

    def result(self, method: str) -> Result | None:
        """The result of a method, or None if the pair has none."""
        return next((result for result in self.results if result.method == method), None)

    def label_loss(self, method: str) -> float:
        """The mean label loss in the last tenth of a method's trainings; 0 if it is unknown."""
        curve = self.curves["label"].get(method)
        if curve is None:
            return 0.0
        last = max(1, len(curve.step) // 10)
        return float(curve.values[:, -last:].mean())

    def has_trained(self, method: str) -> bool:
        """Whether the last label loss of a method is well below that of guessing, or unknown."""
        return self.label_loss(method) < UNTRAINED


@dataclass(frozen=True)
class Records:
    """Everything the section shows.

    Attributes:
        pairs: The pairs of domains.
        network: The layers of DANN's parts `features`, `digit` and `domain`.
    """

    pairs: list[Pair]
    network: dict[str, tuple[Layer, ...]]


def read(
    *, dann_details: Path, dann_history: Path, dann_network: Path, dann_tsne: Path
) -> Records | None:
    """Read every record of the section; None if `dann.pairs` is empty.

    Raises:
        UserError: a record is missing, incomplete or not finite.
    """
    record = records.mapping(dann_details)
    if not record:
        return None
    names = [_domains(name, dann_details) for name in record]
    targets = [target for _, target in names]
    steps = records.table(dann_history, HISTORY)
    points = records.table(dann_tsne, TSNE)
    pairs = []
    for key, (source, target) in zip(record, names, strict=True):
        results = _results(record[key], f"{dann_details}, {key}")
        read = {(result.trained_on, result.method) for result in results}
        own_steps = [row for row in steps if (row["trained_on"], row["method"]) in read]
        own_points = [row for row in points if row["pair"] == key]
        pair = Pair(
            source=source,
            target=target,
            name=target if targets.count(target) == 1 else f"{source}_{target}",
            results=results,
            curves={
                column: _curves(own_steps, column, dann_history)
                for column in ("label", "domain", "kept", "strength")
            },
            embeddings=_embeddings(own_points, f"{dann_tsne}, {key}"),
        )
        pairs.append(pair)
    return Records(pairs, _network(dann_network))


def _network(path: Path) -> dict[str, tuple[Layer, ...]]:
    record = records.mapping(path)
    missing = [part for part in architecture.DANN_PARTS if part not in record]
    if missing:
        raise UserError(f"{path}: no part {', '.join(missing)}; {records.REMAKE}")
    return {
        part: architecture.layers(record[part], f"{path}, {part}")
        for part in architecture.DANN_PARTS
    }


def _domains(name: str, path: Path) -> tuple[str, str]:
    source, arrow, target = name.partition("->")
    if not (source and arrow and target):
        raise UserError(f"{path}: '{name}' is not of the form source->target; {records.REMAKE}")
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
        trained_on=_trained_on(record, where),
        labeled_images=int(records.number(record, "labeled_images", where)),
        unlabeled_images=int(records.number(record, "unlabeled_images", where)),
        accuracy=records.accuracy(record, where),
        trainings=int(records.number(record, "trainings", where)),
        spread=records.number(record, "spread", where) if "spread" in record else None,
        gain=gain,
        source_accuracy=records.number(record, "source_accuracy", where),
        a_distance=records.number(record, "a_distance", where),
    )


def _trained_on(record: Mapping[str, Any], where: str) -> str:
    name = record.get("trained_on")
    if not isinstance(name, str):
        raise UserError(f"{where}: 'trained_on' is {name!r}, not a name; {records.REMAKE}")
    return name


def _curves(rows: list[Mapping[str, Any]], column: str, path: Path) -> dict[str, Curve]:
    """The curves of `column`, for each method that logs it."""
    curves: dict[str, Curve] = {}
    for method in dict.fromkeys(str(row["method"]) for row in rows):
        logged = [row for row in rows if row["method"] == method and row.get(column) is not None]
        trainings = [
            [row for row in logged if row["seed"] == seed]
            for seed in dict.fromkeys(row["seed"] for row in logged)
        ]
        if len({len(training) for training in trainings}) > 1:
            raise UserError(f"{path}: trainings of {method} differ in length; {records.REMAKE}")
        if trainings:
            where = f"{path}, {method}"
            values = [
                [records.number(row, column, where) for row in training] for training in trainings
            ]
            steps = [records.number(row, "step", where) for row in trainings[0]]
            curves[method] = Curve(np.array(steps), np.array(values))
    return curves


def _embeddings(rows: list[Mapping[str, Any]], where: str) -> dict[str, Embedding]:
    if not rows:
        raise UserError(f"{where}: no points; {records.REMAKE}")
    embeddings = {}
    for method in dict.fromkeys(str(row["method"]) for row in rows):
        selected = [row for row in rows if row["method"] == method]
        embeddings[method] = Embedding(
            np.array([[records.number(row, axis, where) for axis in "xy"] for row in selected]),
            np.array([int(records.number(row, "digit", where)) for row in selected]),
            tuple(str(row["domain"]) for row in selected),
        )
    return embeddings

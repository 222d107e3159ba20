"""How far a number spreads between trainings that differ in their seeds only.

An interval over test items says how well the accuracy of one trained model is known. Another
training of the same recipe has another accuracy, and the difference of two recipes is known no
better than the trainings spread.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import t

from hw2.evaluation.headline import Number
from hw2.evaluation.several_trainings import CONFIDENCE


@dataclass(frozen=True)
class Spread:
    """The spread of a number between trainings, on the same test items.

    Attributes:
        deviation: Standard deviation between trainings.
        trainings: The number of trainings that it was measured on, at least two.
    """

    deviation: float
    trainings: int


def measure(runs: Sequence[Sequence[Number]]) -> dict[str, Spread]:
    """The spread of each number over runs that differ in their seeds only.

    A number that a run measured on several trainings counts as often. One with fewer than two
    values in all is left out.
    """
    values: dict[str, list[float]] = {}
    for number in (number for run in runs for number in run):
        values.setdefault(number.name, []).extend(_values(number))
    return {
        name: Spread(float(np.std(of_name, ddof=1)), len(of_name))
        for name, of_name in values.items()
        if len(of_name) > 1
    }


def known(name: str, recorded: Mapping[str, Spread]) -> Spread | None:
    """The recorded spread of a number or, if it was not measured, that of numbers of its kind.

    The kind is the first and the last part of the name, such as `dann` and `accuracy`. The model:
    trainings of one capability spread alike, whatever the method and the domains. Deviations are
    averaged in squares, and count as measured on the smallest number of trainings of any of them.
    """
    if name in recorded:
        return recorded[name]
    alike = [spread for other, spread in recorded.items() if _kind(other) == _kind(name)]
    if not alike:
        return None
    deviation = math.sqrt(float(np.mean([spread.deviation**2 for spread in alike])))
    return Spread(deviation, min(spread.trainings for spread in alike))


def _kind(name: str) -> tuple[str, str]:
    return name.partition(".")[0], name.rpartition(".")[2]


def half_width(first: Number, second: Number, recorded: Spread | None) -> float | None:
    """Half the 95 % interval of `second - first` over trainings; None if no spread is known.

    The model: the values of trainings are normal, with one variance for both recipes. It is pooled
    from the recorded spread and from a run that has several trainings itself. The interval is that
    of Student's t, so a spread that was measured on few trainings makes it wide.

    Args:
        first, second: The number of either run, a mean over its trainings.
        recorded: The spread in other runs, as `known` finds it.
    """
    spreads = [spread for spread in (recorded, *measured_in(first, second)) if spread is not None]
    freedom = sum(spread.trainings - 1 for spread in spreads)
    if freedom == 0:
        return None
    squares = sum((spread.trainings - 1) * spread.deviation**2 for spread in spreads)
    counts = sum(1 / len(_values(number)) for number in (first, second))
    return float(t.ppf(CONFIDENCE, freedom)) * math.sqrt(squares / freedom * counts)


def measured_in(*numbers: Number) -> list[Spread]:
    """The spreads of the numbers that were measured on several trainings."""
    return [spread for number in numbers for spread in measure([[number]]).values()]


def _values(number: Number) -> list[float]:
    """The number of each training, as far as its outcomes tell; else its value."""
    if number.outcomes is None:
        return [number.value]
    shares: list[float] = number.outcomes.decoded().mean(1).tolist()
    return shares


def to_record(spreads: Mapping[str, Spread]) -> dict[str, Any]:
    """The spreads as a record for a JSON file, by name; `from_record` is the inverse."""
    return {name: asdict(spread) for name, spread in spreads.items()}


def from_record(record: Any) -> dict[str, Spread]:
    """The spreads of a record that `to_record` made.

    Raises:
        ValueError: if it is none.
    """
    try:
        return {name: Spread(**fields) for name, fields in record.items()}
    except (TypeError, AttributeError) as error:
        raise ValueError("not a record of spreads") from error

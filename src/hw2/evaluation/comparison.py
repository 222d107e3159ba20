"""Comparison of the headline numbers of two runs, with a verdict for each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from hw2.evaluation import several_trainings
from hw2.evaluation.difference_interval import difference_interval
from hw2.evaluation.headline import Number
from hw2.evaluation.mcnemar import mcnemar
from hw2.evaluation.paired_proportions import paired_difference
from hw2.evaluation.training_spread import Spread, half_width, known


class Verdict(StrEnum):
    """What the difference of a number between two runs says."""

    SAME = "the same"
    UNCLEAR = "not distinguishable"
    BETTER = "better"
    WORSE = "worse"
    DIFFERENT = "different"  # of a number that is neither better nor worse when it is higher
    NO_INTERVAL = "no interval"
    ONLY_FIRST = "only in the first"
    ONLY_SECOND = "only in the second"


LEVEL = 0.05
"""Largest p-value at which McNemar's test says that two shares differ."""

REPRODUCED = (Verdict.SAME, Verdict.UNCLEAR)
"""Verdicts of numbers that a rerun reproduced."""


@dataclass(frozen=True)
class Difference:
    """A headline number in two runs.

    Attributes:
        name: Its dotted name.
        first, second: The number in either run; None where the run did not measure it.
        value: The second minus the first; None where one is missing.
        low, high: Ends of the difference's 95 % interval; None where a run has no interval.
        verdict: What the difference says.
        paired: Whether both runs classified the same items and were compared item by item.
        p: McNemar's exact p-value of a paired comparison of single trainings; otherwise None.
        trainings: Whether the interval covers the spread between trainings, beside the items.
    """

    name: str
    first: Number | None
    second: Number | None
    value: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    paired: bool = False
    p: float | None = None
    trainings: bool = False


def compare(
    first: Sequence[Number],
    second: Sequence[Number],
    spreads: Mapping[str, Spread] = MappingProxyType({}),
) -> list[Difference]:
    """Compare the numbers of two runs by name, in the order of the second run.

    The interval of a difference has two parts, which are combined as independent errors. That of
    the items follows from the intervals of both numbers (`difference_interval`) or, if both runs
    classified the same items, from the outcomes of each item (`paired_proportions`). That of the
    trainings is `training_spread.half_width`, and 0 where no spread between trainings is known.

    Args:
        first, second: The numbers of either run.
        spreads: Recorded spreads between trainings by name, beside those of the runs themselves.
            `training_spread.known` says which one a number has.
    """
    before, after = ({number.name: number for number in run} for run in (first, second))
    names = [*after, *(name for name in before if name not in after)]
    return [
        _difference(name, before.get(name), after.get(name), known(name, spreads)) for name in names
    ]


def _difference(
    name: str, first: Number | None, second: Number | None, spread: Spread | None
) -> Difference:
    if first is None or second is None:
        verdict = Verdict.ONLY_SECOND if first is None else Verdict.ONLY_FIRST
        return Difference(name, first, second, None, None, None, verdict)
    value = second.value - first.value
    if value == 0:
        return Difference(name, first, second, 0.0, None, None, Verdict.SAME)
    trainings = half_width(first, second, spread)
    items, paired, p = _items_interval(first, second)
    if items is None and not trainings:
        return Difference(name, first, second, value, None, None, Verdict.NO_INTERVAL)
    low, high = items or (value, value)
    low = value - math.hypot(value - low, trainings or 0)
    high = value + math.hypot(high - value, trainings or 0)
    verdict = Verdict.UNCLEAR
    if (low > 0 or high < 0) and (p is None or p <= LEVEL):
        direction = math.copysign(1, value) * second.better
        verdict = {1: Verdict.BETTER, -1: Verdict.WORSE}.get(int(direction), Verdict.DIFFERENT)
    return Difference(
        name, first, second, value, low, high, verdict, paired, p, trainings is not None
    )


def _items_interval(
    first: Number, second: Number
) -> tuple[tuple[float, float] | None, bool, float | None]:
    """The interval over items, whether it is paired, and McNemar's p-value of single trainings."""
    one, two = first.outcomes, second.outcomes
    if one is None or two is None or (one.items, one.n) != (two.items, two.n):
        return difference_interval(_of_items(first), _of_items(second)), False, None
    before, after = one.decoded(), two.decoded()
    difference = paired_difference(after, before)
    single = len(before) == len(after) == 1
    p = mcnemar(after[0], before[0]) if single else None
    return (difference.low, difference.high), True, p


def _of_items(number: Number) -> Number:
    """The number with the interval over its items alone, without that over trainings."""
    if number.outcomes is None or len(number.outcomes.right) == 1:
        return number
    interval = several_trainings.over_images(number.value, number.outcomes.n)
    return replace(number, low=interval.low, high=interval.high)

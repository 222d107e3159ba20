"""Comparison of the headline numbers of two runs, with a verdict for each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hw2.evaluation.headline import Number


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
    """

    name: str
    first: Number | None
    second: Number | None
    value: float | None
    low: float | None
    high: float | None
    verdict: Verdict


def compare(first: Sequence[Number], second: Sequence[Number]) -> list[Difference]:
    """Compare the numbers of two runs by name, in the order of the second run.

    The interval of a difference follows from the intervals of both numbers (MOVER, Zou & Donner,
    2008; for proportions Newcombe, 1998, method 10). It treats the runs as independent, so it is
    too wide rather than too narrow for runs that were measured on the same images.
    """
    before, after = ({number.name: number for number in run} for run in (first, second))
    names = [*after, *(name for name in before if name not in after)]
    return [_difference(name, before.get(name), after.get(name)) for name in names]


def _difference(name: str, first: Number | None, second: Number | None) -> Difference:
    if first is None or second is None:
        verdict = Verdict.ONLY_SECOND if first is None else Verdict.ONLY_FIRST
        return Difference(name, first, second, None, None, None, verdict)
    value = second.value - first.value
    if value == 0:
        return Difference(name, first, second, 0.0, None, None, Verdict.SAME)
    ends = difference_interval(first, second)
    if ends is None:
        return Difference(name, first, second, value, None, None, Verdict.NO_INTERVAL)
    low, high = ends
    verdict = Verdict.UNCLEAR
    if low > 0 or high < 0:
        direction = math.copysign(1, value) * second.better
        verdict = {1: Verdict.BETTER, -1: Verdict.WORSE}.get(int(direction), Verdict.DIFFERENT)
    return Difference(name, first, second, value, low, high, verdict)


def difference_interval(first: Number, second: Number) -> tuple[float, float] | None:
    """The 95 % interval of `second - first`, or None if either has no interval."""
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return None
    value = second.value - first.value
    down = math.hypot(second.value - second.low, first.high - first.value)
    up = math.hypot(second.high - second.value, first.value - first.low)
    return value - down, value + up

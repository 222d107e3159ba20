"""The interval of the difference of two independent numbers that have intervals."""

import math

from hw2.evaluation.headline import Number


def difference_interval(first: Number, second: Number) -> tuple[float, float] | None:
    """The 95 % interval of `second - first`, or None if either has no interval.

    It follows from the intervals of both numbers (MOVER, Zou & Donner, 2008; for proportions
    Newcombe, 1998, method 10 for independent ones). Numbers that were measured on the same items
    count as independent, so the interval is then too wide rather than too narrow.
    """
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return None
    value = second.value - first.value
    down = math.hypot(second.value - second.low, first.high - first.value)
    up = math.hypot(second.high - second.value, first.value - first.low)
    return value - down, value + up

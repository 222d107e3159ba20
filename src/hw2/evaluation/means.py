"""Means with their 95 % interval."""

import math
from collections.abc import Sequence

import numpy as np

from hw2.evaluation.intervals import Estimate, Z


def mean(values: np.ndarray) -> Estimate:
    """The mean of float (N,), N >= 2, with the normal interval of its standard error."""
    n = len(values)
    if n < 2:
        raise ValueError("an interval needs at least two observations")
    value = float(np.mean(values))
    half = Z * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Estimate(value, value - half, value + half, n)


def mean_of_estimates(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of independent estimates; their half widths add up in squares, on either side."""
    count = len(estimates)
    value = sum(estimate.value for estimate in estimates) / count
    below = math.hypot(*(estimate.value - estimate.low for estimate in estimates)) / count
    above = math.hypot(*(estimate.high - estimate.value for estimate in estimates)) / count
    return Estimate(value, value - below, value + above, sum(e.n for e in estimates))

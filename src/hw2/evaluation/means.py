"""Means of scores with their 95 % interval."""

import math

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

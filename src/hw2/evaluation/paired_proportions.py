"""The interval of the difference of two shares that were measured on the same items."""

import math

import numpy as np

from hw2.evaluation.intervals import Estimate, proportion
from hw2.evaluation.means import mean


def paired_difference(second: np.ndarray, first: np.ndarray) -> Estimate:
    """Share of `second` minus share of `first`, with its 95 % interval over items.

    For a training each, it is Newcombe's interval for paired proportions. For several, each item
    has a mean difference over trainings, and the interval is the normal one of their mean.

    Source: Newcombe (1998), "Improved confidence intervals for the difference between binomial
    proportions based on paired data", method 10.

    Args:
        second: bool (trainings, N), N >= 1: whether each training is right on item i.
        first: The same of another run, which may have another number of trainings.
    """
    if second.ndim != 2 or first.ndim != 2 or second.shape[1] != first.shape[1]:
        raise ValueError(f"not paired shapes (trainings, N): {second.shape} and {first.shape}")
    if len(second) == len(first) == 1:
        return _newcombe(second[0].astype(bool), first[0].astype(bool))
    return mean(second.mean(0) - first.mean(0))


def _newcombe(second: np.ndarray, first: np.ndarray) -> Estimate:
    one, two = proportion(first), proportion(second)
    correlation = _correlation(first, second)
    value = two.value - one.value
    down = _combined(two.value - two.low, one.high - one.value, correlation)
    up = _combined(two.high - two.value, one.value - one.low, correlation)
    return Estimate(value, value - down, value + up, two.n)


def _combined(second: float, first: float, correlation: float) -> float:
    """Distance of an end of the difference, from those of the two shares."""
    return math.sqrt(max(0.0, second**2 - 2 * correlation * second * first + first**2))


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """The phi coefficient, after a correction for continuity if it is positive."""
    n = len(first)
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    margins = math.prod(
        (both + only_first, only_second + neither, both + only_second, only_first + neither)
    )
    if margins == 0:
        return 0.0
    product = float(both * neither - only_first * only_second)
    if product > 0:
        product = max(product - n / 2, 0.0)
    return product / math.sqrt(margins)

"""Confidence intervals of 95 %."""

import math
from dataclasses import dataclass

import numpy as np

Z = 1.959963984540054  # 97.5 % quantile of the standard normal


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its 95 % interval and the number of observations behind it."""

    value: float
    low: float
    high: float
    n: int

    def named(self, name: str) -> dict[str, float | int]:
        """As flat record keys: `name`, `name_low`, `name_high`, `n`."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high, "n": self.n}


def proportion(hits: np.ndarray) -> Estimate:
    """A share with Wilson's score interval (Wilson, 1927), from bool (N,), N >= 1."""
    n = len(hits)
    if n == 0:
        raise ValueError("a proportion needs at least one observation")
    p = float(np.mean(hits))
    center = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    # At p = 0 and p = 1 the ends are exact; rounding must not put p outside its own interval.
    return Estimate(p, min(p, max(0.0, center - half)), max(p, min(1.0, center + half)), n)


def jackknife(value: float, *left_out: np.ndarray) -> Estimate:
    """A statistic with the normal interval of its jackknife error.

    The squared errors of independent samples add up. Source: Efron & Tibshirani (1993), chapter 11.

    Args:
        value: the statistic of all observations.
        left_out: for each sample float (N,), the statistic without observation i of the sample;
            the `n` of the estimate is that of the first sample.
    """
    error = math.sqrt(sum(_jackknife_variance(values) for values in left_out))
    return Estimate(value, value - Z * error, value + Z * error, len(left_out[0]))


def _jackknife_variance(left_out: np.ndarray) -> float:
    n = len(left_out)
    return (n - 1) / n * float(((left_out - left_out.mean()) ** 2).sum())

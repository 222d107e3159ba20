"""Intervals against published numbers and their own definitions."""

import math

import numpy as np
import pytest

from hw2.evaluation.intervals import jackknife, proportion

Z = 1.959963984540054


def hits(p: float, n: int) -> np.ndarray:
    return np.arange(n) < round(p * n)


@pytest.mark.parametrize(
    ("p", "n", "low", "high"),
    [
        (0.95, 500, 92.7, 96.6),
        (0.99, 500, 97.7, 99.6),
        (0.95, 1000, 93.5, 96.2),
        (0.99, 1000, 98.2, 99.5),
        (0.65, 2500, 63.1, 66.8),
        (0.651, 10000, 64.2, 66.0),
        (0.45, 26032, 44.4, 45.6),
        (0.80, 2007, 78.2, 81.7),
    ],
)
def test_wilson_interval_at_known_points(p: float, n: int, low: float, high: float) -> None:
    estimate = proportion(hits(p, n))
    # Half of the last digit printed, and the share of n that is not a whole number of hits.
    tolerance = 0.05 + 100 * abs(estimate.value - p) + 1e-6
    assert estimate.n == n
    assert 100 * estimate.low == pytest.approx(low, abs=tolerance)
    assert 100 * estimate.high == pytest.approx(high, abs=tolerance)


@pytest.mark.parametrize("n", [1, 2, 10, 997])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_ends_of_the_wilson_interval_satisfy_its_definition(p: float, n: int) -> None:
    """Wilson's definition: |p - end| = z sqrt(end (1 - end) / n)."""
    estimate = proportion(hits(p, n))
    for end in (estimate.low, estimate.high):
        error = Z * math.sqrt(end * (1 - end) / n)
        assert abs(estimate.value - end) == pytest.approx(error, abs=1e-8)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


@pytest.mark.parametrize("n", [1, 7, 1000])
def test_intervals_of_none_and_all_correct_reach_0_and_1_exactly(n: int) -> None:
    none, every = proportion(np.zeros(n, bool)), proportion(np.ones(n, bool))
    assert (none.value, none.low) == (0, 0)
    assert (every.value, every.high) == (1, 1)
    assert none.high == pytest.approx(Z**2 / (n + Z**2))
    assert every.low == pytest.approx(1 - none.high)


def test_a_proportion_without_observations_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one observation"):
        proportion(np.zeros(0, bool))


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    x = np.random.Generator(np.random.PCG64(1)).normal(3, 2, 40)
    estimate = jackknife(x.mean(), (x.sum() - x) / (len(x) - 1))
    half = Z * x.std(ddof=1) / math.sqrt(len(x))
    assert estimate.low == pytest.approx(x.mean() - half)
    assert estimate.high == pytest.approx(x.mean() + half)
    assert estimate.n == 40


def test_named_returns_the_keys_of_a_record() -> None:
    estimate = proportion(hits(0.5, 10)).named("accuracy")
    assert list(estimate) == ["accuracy", "accuracy_low", "accuracy_high", "n"]
    assert estimate["accuracy"] == 0.5

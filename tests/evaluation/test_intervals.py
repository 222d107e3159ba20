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
def test_wilson_s_interval_at_known_points(p: float, n: int, low: float, high: float) -> None:
    found = proportion(hits(p, n))
    # Half of the last digit printed, and the share of n that is no whole number of hits.
    tolerance = 0.05 + 100 * abs(found.value - p) + 1e-6
    assert found.n == n
    assert 100 * found.low == pytest.approx(low, abs=tolerance)
    assert 100 * found.high == pytest.approx(high, abs=tolerance)


@pytest.mark.parametrize("n", [1, 2, 10, 997])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_its_ends_are_the_shares_just_not_rejected(p: float, n: int) -> None:
    """Wilson's definition: |p - end| = z sqrt(end (1 - end) / n)."""
    found = proportion(hits(p, n))
    for end in (found.low, found.high):
        error = Z * math.sqrt(end * (1 - end) / n)
        assert abs(found.value - end) == pytest.approx(error, abs=1e-8)
    assert 0 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("n", [1, 7, 1000])
def test_none_and_all_right_touch_the_bounds_exactly(n: int) -> None:
    none, every = proportion(np.zeros(n, bool)), proportion(np.ones(n, bool))
    assert (none.value, none.low) == (0, 0)
    assert (every.value, every.high) == (1, 1)
    assert none.high == pytest.approx(Z**2 / (n + Z**2))
    assert every.low == pytest.approx(1 - none.high)


def test_no_observation_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one observation"):
        proportion(np.zeros(0, bool))


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    x = np.random.Generator(np.random.PCG64(1)).normal(3, 2, 40)
    found = jackknife(x.mean(), (x.sum() - x) / (len(x) - 1))
    half = Z * x.std(ddof=1) / math.sqrt(len(x))
    assert found.low == pytest.approx(x.mean() - half)
    assert found.high == pytest.approx(x.mean() + half)
    assert found.n == 40


def test_the_names_are_the_records_keys() -> None:
    found = proportion(hits(0.5, 10)).named("accuracy")
    assert list(found) == ["accuracy", "accuracy_low", "accuracy_high", "n"]
    assert found["accuracy"] == 0.5

"""Means of values and of estimates that have intervals of their own."""

import numpy as np
import pytest

from hw2.evaluation.intervals import Estimate
from hw2.evaluation.means import mean, mean_of_estimates


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    estimate = mean(np.array([1.0, 2.0, 3.0, 4.0]))
    assert estimate.value == 2.5
    assert estimate.high - 2.5 == pytest.approx(1.959964 * np.sqrt(5 / 3) / 2)
    assert estimate.n == 4


def test_half_widths_of_independent_estimates_add_in_squares_on_either_side() -> None:
    estimate = mean_of_estimates([Estimate(0.5, 0.2, 0.6, 10), Estimate(0.9, 0.5, 0.94, 30)])
    assert estimate.value == pytest.approx(0.7)
    assert 0.7 - estimate.low == pytest.approx(np.hypot(0.3, 0.4) / 2)
    assert estimate.high - 0.7 == pytest.approx(np.hypot(0.1, 0.04) / 2)
    assert estimate.n == 40

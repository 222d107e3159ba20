"""The interval of a mean of few values."""

import numpy as np
import pytest

from hw2.evaluation import image_metrics


def test_the_mean_of_four_values_has_student_s_interval() -> None:
    """By hand: deviation sqrt(5 / 3), t with 3 degrees of freedom is 3.1824."""
    estimate = image_metrics.mean(np.array([1.0, 2.0, 3.0, 4.0]))
    half = 3.1824 * (5 / 3) ** 0.5 / 2
    assert (estimate.value, estimate.n) == (2.5, 4)
    assert (estimate.low, estimate.high) == pytest.approx((2.5 - half, 2.5 + half), abs=1e-3)


def test_the_interval_covers_the_mean_of_four_values() -> None:
    random = np.random.default_rng(5)
    estimates = [image_metrics.mean(random.normal(3, 2, 4)) for _ in range(1000)]
    inside = sum(estimate.low <= 3 <= estimate.high for estimate in estimates)
    assert 0.93 < inside / 1000 < 0.97

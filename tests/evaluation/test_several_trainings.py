"""The accuracy of several trainings is as uncertain as its images and its trainings make it."""

import math

import numpy as np
import pytest

from hw2.evaluation import several_trainings
from hw2.evaluation.intervals import proportion

N = 100


def readings(*hits: int) -> np.ndarray:
    """A training for each number of images that it reads correctly, of N."""
    return np.stack([np.arange(N) < count for count in hits])


def test_the_interval_of_a_mean_over_trainings_is_student_s() -> None:
    # Standard deviation 0.02, t with 2 degrees of freedom 4.3027.
    half = several_trainings.half_width(np.array([0.80, 0.82, 0.84]))
    assert half == pytest.approx(4.3027 * 0.02 / math.sqrt(3), rel=1e-4)
    assert several_trainings.half_width(np.array([0.8])) == 0


def test_images_and_trainings_add_as_independent_errors() -> None:
    estimate = several_trainings.accuracy(readings(80, 82, 84))
    # Wilson's interval of 82 of 100: 0.7333 to 0.8829.
    assert estimate.value == pytest.approx(0.82)
    assert estimate.low == pytest.approx(0.82 - math.hypot(0.0867, 0.0497), abs=2e-4)
    assert estimate.high == pytest.approx(0.82 + math.hypot(0.0629, 0.0497), abs=2e-4)
    assert estimate.n == N


def test_one_training_has_the_interval_of_its_images() -> None:
    single = readings(82)
    estimate, expected = several_trainings.accuracy(single), proportion(single[0])
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )


def test_the_interval_stays_between_0_and_1() -> None:
    estimate = several_trainings.accuracy(readings(60, 100))
    assert (estimate.low, estimate.high) == (0, 1)

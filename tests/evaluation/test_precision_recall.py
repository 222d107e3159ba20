"""Improved precision and recall on sets whose cover is known."""

import numpy as np
import pytest

from hw2.evaluation.precision_recall import NEIGHBORS, recall


def points(count: int, seed: int, center: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(center, 1, (count, 8)).astype(np.float32)


def test_a_set_covers_itself_and_nothing_far_away() -> None:
    near = points(200, 1)
    assert recall(near, near).value == 1
    estimate = recall(near, points(200, 2, center=50))
    assert (estimate.value, estimate.n) == (0, 200)
    assert 0 < estimate.high < 0.05


def test_a_generator_of_one_mode_covers_one_half() -> None:
    real = np.concatenate([points(300, 1), points(300, 2, center=50)])
    single_mode = points(600, 3)
    assert 0.4 < recall(real, single_mode).value <= 0.5
    assert recall(single_mode, real).value > 0.8, "what it draws is real"


def test_a_sample_covers_as_far_as_its_third_neighbor() -> None:
    generated = np.array([[0.0], [1.0], [2.0], [3.0]])  # radii 3, 2, 2, 3
    inside, outside = np.array([[-3.0], [6.0]]), np.array([[-3.01], [6.01]])
    assert recall(inside, generated).value == 1
    assert recall(outside, generated).value == 0


def test_too_few_generated_images_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 3 generated"):
        recall(points(9, 1), points(NEIGHBORS, 2))

"""The distance of images of one label, against a computation pair by pair."""

from itertools import combinations

import numpy as np
import pytest

from hw2.evaluation.diversity import within_label_distance

SHAPE = (28, 28, 3)


def images(count: int, seed: int = 1) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).integers(0, 256, (count, *SHAPE), np.uint8)


def pair_by_pair(pixels: np.ndarray, labels: np.ndarray) -> float:
    scaled = pixels / 255
    means = [
        np.mean(
            [
                np.sqrt(((scaled[a] - scaled[b]) ** 2).mean())
                for a, b in combinations(np.flatnonzero(labels == label), 2)
            ]
        )
        for label in np.unique(labels)
    ]
    return float(np.mean(means))


LABELS = np.array([3, 3, 7, 3, 7, 7, 7, 3, 12, 12, 12])


def test_the_mean_is_that_of_all_pairs() -> None:
    estimate = within_label_distance(images(11), LABELS)
    assert estimate.value == pytest.approx(pair_by_pair(images(11), LABELS), rel=1e-6)
    assert estimate.n == 11


def test_the_interval_is_that_of_the_jackknife() -> None:
    pixels = images(11)
    left_out = [pair_by_pair(np.delete(pixels, k, axis=0), np.delete(LABELS, k)) for k in range(11)]
    error = np.sqrt(10 / 11 * ((left_out - np.mean(left_out)) ** 2).sum())
    estimate = within_label_distance(pixels, LABELS)
    assert (estimate.high - estimate.low) / 2 == pytest.approx(1.96 * error, rel=1e-4)
    assert (estimate.high + estimate.low) / 2 == pytest.approx(estimate.value)


def test_identical_images_have_no_distance() -> None:
    estimate = within_label_distance(np.repeat(images(1), 6, axis=0), np.zeros(6, int))
    assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)


def test_black_and_white_are_at_distance_1() -> None:
    black_white = np.zeros((4, *SHAPE), np.uint8)
    black_white[2:] = 255
    estimate = within_label_distance(black_white, np.zeros(4, int))
    assert estimate.value == pytest.approx(4 / 6)  # 4 of the 6 pairs differ, by 1


def test_half_the_contrast_is_half_the_distance() -> None:
    pixels = images(6) & 0xFE  # even, so that halving is exact
    full = within_label_distance(pixels, np.zeros(6, int))
    half = within_label_distance(pixels // 2, np.zeros(6, int))
    assert full.value == pytest.approx(2 * half.value)
    assert full.high - full.low == pytest.approx(2 * (half.high - half.low))


def test_diversity_does_not_depend_on_the_order_of_the_images() -> None:
    order = np.random.Generator(np.random.PCG64(2)).permutation(11)
    before = within_label_distance(images(11), LABELS)
    after = within_label_distance(images(11)[order], LABELS[order])
    assert after.value == pytest.approx(before.value)
    assert after.low == pytest.approx(before.low)


@pytest.mark.parametrize("count", [1, 2])
def test_two_images_are_too_few(count: int) -> None:
    with pytest.raises(ValueError, match="at least three images of each label"):
        within_label_distance(images(3 + count), np.array([0, 0, 0, 1, 1][: 3 + count]))

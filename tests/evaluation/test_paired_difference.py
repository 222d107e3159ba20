"""The gain's interval covers the truth about as often as it says, and never too rarely."""

import numpy as np
import pytest

from hw2.evaluation.paired_difference import paired_gain


def random_readings(
    random: np.random.Generator, seeds: int, n: int, gain: float, shift: float
) -> tuple[np.ndarray, np.ndarray]:
    """Readings of `seeds` trainings on n images: hard images are hard for all, seeds differ."""
    ease = random.beta(8, 2, n)
    by_seed = random.normal(0, shift, (2, seeds, 1))
    share = [(ease + part + more).clip(0, 1) for part, more in zip(by_seed, (gain, 0), strict=True)]
    return random.random((seeds, n)) < share[0], random.random((seeds, n)) < share[1]


def test_gain_and_n_at_a_known_point() -> None:
    right = np.array([[True, True, True, False], [True, True, False, False]])
    base = np.array([[True, False, False, False], [False, True, False, False]])
    gain = paired_gain(right, base)
    assert gain.value == pytest.approx(0.375)
    assert gain.n == 4
    assert gain.high - gain.value == pytest.approx(gain.value - gain.low)


def test_equal_readings_are_no_gain() -> None:
    right = np.random.default_rng(1).random((3, 50)) < 0.5
    gain = paired_gain(right, right)
    assert (gain.value, gain.low, gain.high) == (0, 0, 0)


def test_pairing_narrows_the_interval_and_differing_seeds_widen_it() -> None:
    right = np.arange(400)[None] % 10 < 9
    better = right | (np.arange(400)[None] % 20 == 9)
    shuffled = np.random.default_rng(2).permutation(right, axis=1)
    width = lambda e: e.high - e.low  # noqa: E731
    assert width(paired_gain(better, right)) < 0.7 * width(paired_gain(better, shuffled))
    steady = paired_gain(np.repeat(better, 2, 0), np.repeat(right, 2, 0))
    unsteady = paired_gain(
        np.concatenate([better, right]), np.concatenate([right, right & (np.arange(400) > 40)])
    )
    assert width(steady) == pytest.approx(width(paired_gain(better, right)))
    assert width(unsteady) > width(steady)


def test_the_interval_covers_the_true_gain() -> None:
    random = np.random.default_rng(3)
    inside = 0
    for _ in range(300):
        gain = paired_gain(*random_readings(random, 1, 400, 0.0, 0.0))
        inside += gain.low <= 0 <= gain.high
    assert inside / 300 > 0.92


@pytest.mark.parametrize("shape", [(1, 1), (2, 5)])
def test_unpaired_shapes_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not paired shapes"):
        paired_gain(np.ones(shape, bool), np.ones((1, 1), bool))

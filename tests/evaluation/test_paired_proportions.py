"""The paired interval against a published example, and against intervals by hand."""

import numpy as np
import pytest

from hw2.evaluation.paired_proportions import paired_difference


def outcomes(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes bool (1, N) of two runs, of items that both, one of them, or none is right on."""
    one = [True] * (both + first) + [False] * (second + neither)
    two = [True] * both + [False] * first + [True] * second + [False] * neither
    return np.array([one]), np.array([two])


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        # Fagerland, Lydersen & Laake (2014), airway hyper-responsiveness of 21 children, the
        # square-and-add interval of Newcombe. They subtract in the other direction.
        ((1, 1, 7, 12), 0.026, 0.507),
        # By hand. Wilson: 0.65 from 0.5525 to 0.7364, 0.75 from 0.6570 to 0.8245.
        # 60 * 20 - 5 * 15 = 1125, less 50, over sqrt(65 * 35 * 75 * 25): phi = 0.5205.
        # 0.1 - sqrt(0.0930^2 - 2 phi 0.0930 0.0864 + 0.0864^2) = 0.0120, and likewise upwards.
        ((60, 5, 15, 20), 0.0120, 0.1866),
        # By hand. Both shares are 0.5, from 0.2366 to 0.7634, phi = (1 - 16) / 25 = -0.6:
        # 0 -/+ 0.2634 sqrt(2 + 1.2).
        ((1, 4, 4, 1), -0.4712, 0.4712),
    ],
)
def test_known_intervals(table: tuple[int, int, int, int], low: float, high: float) -> None:
    one, two = outcomes(*table)
    difference = paired_difference(two, one)
    assert difference.n == sum(table)
    assert difference.low == pytest.approx(low, abs=6e-4)
    assert difference.high == pytest.approx(high, abs=6e-4)
    swapped = paired_difference(one, two)
    assert (swapped.low, swapped.high) == pytest.approx((-difference.high, -difference.low))


def test_equal_shares_of_all_items_have_an_interval() -> None:
    """With a margin of 0 the correlation is undefined and counts as 0."""
    one, two = outcomes(10, 0, 0, 0)
    difference = paired_difference(two, one)
    # Wilson: 1 from 10 / (10 + 1.96^2) = 0.7225.
    assert (difference.low, difference.high) == pytest.approx((-0.2775, 0.2775), abs=1e-4)


def test_several_trainings_are_averaged_for_each_item() -> None:
    second = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], bool)
    first = np.array([[1, 0, 0, 0]], bool)
    difference = paired_difference(second, first)
    # By hand: 0, 1, 0.5, 0 have mean 0.375 and standard deviation 0.4787.
    assert difference.value == pytest.approx(0.375)
    assert difference.high == pytest.approx(0.375 + 1.96 * 0.4787 / 2, abs=1e-3)


def test_the_interval_covers_the_true_difference() -> None:
    random = np.random.default_rng(3)
    inside = 0
    for _ in range(400):
        ease = random.beta(8, 2, 300)
        first, second = random.random((2, 1, 300)) < ease
        difference = paired_difference(second, first)
        inside += difference.low <= 0 <= difference.high
    assert 0.93 < inside / 400 < 0.99


def test_unpaired_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="not paired shapes"):
        paired_difference(np.ones((1, 3), bool), np.ones((1, 4), bool))
    with pytest.raises(ValueError, match="not paired shapes"):
        paired_difference(np.ones(3, bool), np.ones(3, bool))

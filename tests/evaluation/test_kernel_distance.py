"""The kernel distance against its definition by pairs, and its jackknife against leaving out."""

import numpy as np
import pytest

from hw2.evaluation.kernel_distance import kernel_distance


def features(count: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).normal(shift, 1, (count, 5))


def kernel(a: np.ndarray, b: np.ndarray) -> float:
    return float((a @ b / len(a) + 1) ** 3)


def pair_by_pair(x: np.ndarray, y: np.ndarray) -> float:
    def within(z: np.ndarray) -> float:
        pairs = [kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]
        return float(np.mean(pairs))

    return within(x) + within(y) - 2 * float(np.mean([kernel(a, b) for a in x for b in y]))


def test_the_value_is_that_of_all_pairs() -> None:
    x, y = features(6, 1), features(9, 2, 0.5)
    estimate = kernel_distance(x, y)
    assert estimate.value == pytest.approx(pair_by_pair(x, y))
    assert estimate.n == 6


def test_the_interval_is_that_of_a_jackknife_of_both_sets() -> None:
    x, y = features(6, 1), features(9, 2, 0.5)
    variance = 0.0
    for left_out in (
        np.array([pair_by_pair(np.delete(x, k, 0), y) for k in range(6)]),
        np.array([pair_by_pair(x, np.delete(y, k, 0)) for k in range(9)]),
    ):
        n = len(left_out)
        variance += (n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()
    estimate = kernel_distance(x, y)
    assert (estimate.high - estimate.low) / 2 == pytest.approx(1.959964 * np.sqrt(variance))


def test_equal_distributions_are_at_distance_0_and_others_are_not() -> None:
    same = [kernel_distance(features(60, k), features(80, 100 + k)) for k in range(40)]
    covered = np.mean([estimate.low <= 0 <= estimate.high for estimate in same])
    assert covered >= 0.85
    assert abs(np.mean([estimate.value for estimate in same])) < 0.05
    assert kernel_distance(features(60, 1), features(80, 2, 1.0)).low > 0


def test_two_features_are_too_few() -> None:
    with pytest.raises(ValueError, match="at least three features"):
        kernel_distance(features(2, 1), features(9, 2))

"""The Fréchet distance of normal distributions, against closed forms."""

import numpy as np
import pytest

from hw2.evaluation.frechet import frechet_distance


def features(mean: list[float], covariance: list[list[float]]) -> np.ndarray:
    """Features that have exactly this mean and covariance."""
    raw = np.random.default_rng(1).normal(size=(200, len(mean)))
    raw -= raw.mean(0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    return white @ np.linalg.cholesky(np.array(covariance)).T + mean


def test_the_same_moments_have_no_distance() -> None:
    cloud = features([1.0, 2.0], [[2.0, 0.5], [0.5, 1.0]])
    assert frechet_distance(cloud, cloud[::-1]) == pytest.approx(0, abs=1e-9)


def test_distance_of_means() -> None:
    first, second = (features(mean, [[1.0, 0], [0, 1]]) for mean in ([0.0, 0], [3.0, 4]))
    assert frechet_distance(first, second) == pytest.approx(25)


def test_distance_of_independent_variances() -> None:
    """The sum of (s1 - s2)^2 of the standard deviations, where the covariances commute."""
    first, second = (features([0.0, 0], c) for c in ([[4.0, 0], [0, 1]], [[1.0, 0], [0, 9]]))
    assert frechet_distance(first, second) == pytest.approx((2 - 1) ** 2 + (1 - 3) ** 2)


def test_distance_of_covariances_that_do_not_commute() -> None:
    one, two = [[2.0, 1], [1, 2]], [[3.0, 0], [0, 1]]
    # tr (C1 C2)^(1/2): the square roots of the eigenvalues of [[6, 1], [3, 2]], 4 +- 7^(1/2).
    cross = sum((4 + sign * 7**0.5) ** 0.5 for sign in (1, -1))
    distance = frechet_distance(features([0.0, 0], one), features([0.0, 0], two))
    assert distance == pytest.approx(4 + 4 - 2 * cross)


def test_a_constant_feature_is_allowed() -> None:
    flat = np.ones((5, 3))
    assert frechet_distance(flat, flat) == pytest.approx(0)


def test_row_61_fewer_features_than_dimensions_give_a_finite_distance() -> None:
    stream = np.random.default_rng(2)
    few, others = stream.normal(size=(5, 64)), stream.normal(size=(5, 64))
    assert 0 < frechet_distance(few, others) < np.inf

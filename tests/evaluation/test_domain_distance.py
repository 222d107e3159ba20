"""The distance of two domains and the validators, on cases with known answers."""

import numpy as np
import pytest

from hw2.evaluation.domain_distance import (
    mean_entropy,
    proxy_a_distance,
    soft_neighbourhood_density,
)


def cloud(seed: int, center: float, count: int = 400) -> np.ndarray:
    return np.random.default_rng(seed).normal(center, 1, (count, 8)).astype(np.float32)


def test_the_distance_of_separable_domains_is_2() -> None:
    assert proxy_a_distance(cloud(1, 0), cloud(2, 6), 5) == pytest.approx(2, abs=0.02)


def test_the_distance_of_equal_domains_is_about_0() -> None:
    distances = [proxy_a_distance(cloud(k, 0), cloud(k + 50, 0), 5) for k in range(8)]
    assert abs(np.mean(distances)) < 0.15
    assert min(distances) < 0 < max(distances)


def test_a_larger_domain_does_not_count_more_and_the_seed_determines_the_distance() -> None:
    near, far = cloud(1, 0, 900), cloud(2, 0.2, 300)
    distance = proxy_a_distance(near, far, 5)
    assert 0 < distance < 1.5
    assert distance == proxy_a_distance(near, far, 5)
    assert distance != proxy_a_distance(near, far, 6)


def test_entropy_of_confident_and_uncertain_predictions() -> None:
    assert mean_entropy(np.zeros((4, 10))) == pytest.approx(np.log(10))
    assert mean_entropy(100 * np.eye(10)) == pytest.approx(0, abs=1e-9)


def test_density_is_the_size_of_the_groups() -> None:
    """In ten groups of 20 alike predictions, each has 19 neighbors: entropy log 19."""
    logits = 50 * np.repeat(np.eye(10), 20, axis=0)
    assert soft_neighbourhood_density(logits) == pytest.approx(np.log(19), abs=1e-3)
    random = np.random.default_rng(1).normal(0, 3, (200, 10))
    assert np.isfinite(soft_neighbourhood_density(random))

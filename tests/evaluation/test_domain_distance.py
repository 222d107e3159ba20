"""The distance of two domains and the validators, on cases with known answers."""

import numpy as np
import pytest

from hw2.evaluation.domain_distance import (
    mean_entropy,
    proxy_a_distance,
    soft_neighbourhood_density,
)


def cloud(seed: int, centre: float, count: int = 400) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, 1, (count, 8)).astype(np.float32)


def test_domains_that_never_meet_are_2_apart() -> None:
    assert proxy_a_distance(cloud(1, 0), cloud(2, 6), 5) == pytest.approx(2, abs=0.02)


def test_domains_alike_are_about_0_apart() -> None:
    found = [proxy_a_distance(cloud(k, 0), cloud(k + 50, 0), 5) for k in range(8)]
    assert abs(np.mean(found)) < 0.15
    assert min(found) < 0 < max(found)


def test_a_longer_domain_does_not_count_more_and_the_seed_decides() -> None:
    near, far = cloud(1, 0, 900), cloud(2, 0.2, 300)
    found = proxy_a_distance(near, far, 5)
    assert 0 < found < 1.5
    assert found == proxy_a_distance(near, far, 5)
    assert found != proxy_a_distance(near, far, 6)


def test_entropy_of_sure_and_unsure_predictions() -> None:
    assert mean_entropy(np.zeros((4, 10))) == pytest.approx(np.log(10))
    assert mean_entropy(100 * np.eye(10)) == pytest.approx(0, abs=1e-9)


def test_density_is_the_size_of_the_groups() -> None:
    """In ten groups of 20 alike predictions, each has 19 neighbours: entropy log 19."""
    logits = 50 * np.repeat(np.eye(10), 20, axis=0)
    assert soft_neighbourhood_density(logits) == pytest.approx(np.log(19), abs=1e-3)
    random = np.random.default_rng(1).normal(0, 3, (200, 10))
    assert np.isfinite(soft_neighbourhood_density(random))

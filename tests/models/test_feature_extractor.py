"""The extractor: shapes, and statistics of two domains that never mix."""

import pytest
import torch

from hw2.models.feature_extractor import (
    DomainBatchNorm,
    Extractor,
    GaninExtractor,
    domain_head,
    label_head,
)


def images(count: int = 6, seed: int = 3) -> torch.Tensor:
    return torch.randn(count, 3, 28, 28, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("network", [Extractor(4), GaninExtractor()])
def test_the_extractor_returns_features_of_the_expected_shapes(
    network: Extractor | GaninExtractor,
) -> None:
    features = network(images(), 0)
    assert features.shape == (6, network.features)
    assert (features >= 0).all()
    assert label_head(network.features, 10)(features).shape == (6, 10)
    assert domain_head(network.features, 5)(features).shape == (6, 1)


@pytest.mark.parametrize("domain", [0, 1])
def test_a_batch_changes_the_statistics_of_its_own_domain_only(domain: int) -> None:
    network = Extractor(4).train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    network(images(), domain)
    for name, value in network.named_buffers():
        assert torch.equal(value[1 - domain], before[name][1 - domain]), name
        assert not torch.equal(value[domain], before[name][domain]), name


def test_in_training_it_is_batch_norm() -> None:
    ours, theirs = DomainBatchNorm(3).train(), torch.nn.BatchNorm2d(3).train()
    for k in range(4):
        assert torch.allclose(ours(images(seed=k), 1), theirs(images(seed=k)), atol=1e-6)
    ours.eval(), theirs.eval()
    assert theirs.running_mean is not None
    assert torch.allclose(ours.mean[1], theirs.running_mean)
    assert torch.allclose(ours(images(), 1), theirs(images()), atol=1e-6)
    assert torch.equal(ours.mean[0], torch.zeros(3))


def test_in_evaluation_the_features_of_an_image_depend_on_that_image_alone() -> None:
    network = Extractor(4).train()
    network(images(), 0)
    network.eval()
    assert torch.allclose(network(images()[:1], 0), network(images(), 0)[:1], atol=1e-5)

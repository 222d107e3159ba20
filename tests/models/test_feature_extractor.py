"""The extractor: shapes, and statistics of the two slots that never mix."""

import pytest
import torch

from hw2.models.feature_extractor import (
    Extractor,
    GaninExtractor,
    SlotNorm,
    domain_head,
    label_head,
)


def images(count: int = 6, seed: int = 3) -> torch.Tensor:
    return torch.randn(count, 3, 28, 28, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("network", [Extractor(4), GaninExtractor()])
def test_shapes(network: Extractor | GaninExtractor) -> None:
    features = network(images(), 0)
    assert features.shape == (6, network.features)
    assert (features >= 0).all()
    assert label_head(network.features, 10)(features).shape == (6, 10)
    assert domain_head(network.features, 5)(features).shape == (6, 1)


@pytest.mark.parametrize("slot", [0, 1])
def test_a_slot_changes_its_own_statistics_only(slot: int) -> None:
    network = Extractor(4).train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    network(images(), slot)
    for name, value in network.named_buffers():
        assert torch.equal(value[1 - slot], before[name][1 - slot]), name
        assert not torch.equal(value[slot], before[name][slot]), name


def test_in_training_it_is_batch_norm() -> None:
    ours, theirs = SlotNorm(3).train(), torch.nn.BatchNorm2d(3).train()
    for k in range(4):
        assert torch.allclose(ours(images(seed=k), 1), theirs(images(seed=k)), atol=1e-6)
    ours.eval(), theirs.eval()
    assert theirs.running_mean is not None
    assert torch.allclose(ours.mean[1], theirs.running_mean)
    assert torch.allclose(ours(images(), 1), theirs(images()), atol=1e-6)
    assert torch.equal(ours.mean[0], torch.zeros(3))


def test_an_image_s_features_depend_on_no_other_image_when_reading() -> None:
    network = Extractor(4).train()
    network(images(), 0)
    network.eval()
    assert torch.allclose(network(images()[:1], 0), network(images(), 0)[:1], atol=1e-5)

"""AdaMatch: interpolation of logits, warm-up, alignment and the relative threshold."""

import pytest
import torch

from hw2.config import params
from hw2.dann.classifier import Classifier
from hw2.dann.method import Sample, Setup
from hw2.dann.methods.adamatch import AdaMatch, interpolated, warm_up
from hw2.dann.prediction_means import PredictionMeans
from hw2.training.ema import EMA


@pytest.fixture
def method(mini: params.Dann) -> AdaMatch:
    network = Classifier(mini.network)
    setup = Setup(network, EMA(network, 0.5), mini.augmentations)
    return AdaMatch(setup, mini.hyperparameters.adamatch)


def test_logits_are_interpolated_one_by_one() -> None:
    joint, separate = torch.tensor([[4.0, 0.0]]), torch.tensor([[0.0, 8.0]])
    share = torch.tensor([[0.25, 0.5]])
    assert interpolated(joint, separate, share).tolist() == [[1.0, 4.0]]


def test_the_weight_rises_from_0_to_1_in_the_first_half() -> None:
    assert [warm_up(p) for p in (0, 0.25, 0.5, 1)] == pytest.approx([0, 0.5, 1, 1])


def test_alignment_gives_target_predictions_the_mean_of_the_source() -> None:
    means = PredictionMeans(averaging=0.9)
    source, target = torch.zeros(4, 10), torch.zeros(4, 10)
    source[:, 0], source[:, 1] = 0.75, 0.25
    target[:, 0], target[:, 1] = 0.25, 0.75
    means.update(source, target)
    aligned = means.aligned(target)
    assert aligned[0, :2].tolist() == pytest.approx([0.75, 0.25])
    assert aligned.sum(1).tolist() == pytest.approx([1.0] * 4)


def test_a_label_is_confident_relative_to_the_source(method: AdaMatch) -> None:
    source, target = torch.zeros(2, 10), torch.zeros(2, 10)
    source[0, 0] = source[1, 1] = 4.0
    target[0, 0] = target[1, 1] = 4.0
    assert method._pseudo_labels(source, target)[1].tolist() == [1, 1]
    assert method._pseudo_labels(20 * source, target / 4)[1].tolist() == [0, 0]
    digits, _ = method._pseudo_labels(source, target)
    assert digits.tolist() == [0, 1]


def test_both_passes_have_the_same_source_views(method: AdaMatch) -> None:
    def sample(domain: int, count: int) -> Sample:
        stream = torch.Generator().manual_seed(domain)
        return Sample(torch.rand(count, 3, 28, 28), None, domain, stream, 0.0)

    alone, joint = method.views(sample(0, 2), sample(1, 3))
    assert [domain for domain, _ in joint] == [0, 0, 1, 1]
    assert [len(images) for _, images in joint] == [2, 2, 3, 3]
    for (_, first), (_, second) in zip(alone, joint[:2], strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(alone[0][1], alone[1][1])

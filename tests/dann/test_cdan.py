"""CDAN: the multilinear map and the entropy weights."""

import math

import pytest
import torch

from hw2.dann.methods.cdan import MultilinearMap, entropy_weights


def test_the_exact_map_is_the_outer_product() -> None:
    features = torch.tensor([[1.0, 2.0, 3.0]])
    predictions = torch.tensor([[0.25, 0.75]])
    joint = MultilinearMap(3, 2, max_dimensions=6, random_dimensions=4)(features, predictions)
    assert torch.equal(joint, torch.tensor([[0.25, 0.5, 0.75, 0.75, 1.5, 2.25]]))


def test_the_randomized_map_preserves_inner_products_on_average() -> None:
    torch.manual_seed(3)
    features, predictions = torch.rand(2, 8), torch.rand(2, 5).softmax(1)
    randomized = MultilinearMap(8, 5, max_dimensions=39, random_dimensions=200_000)
    joint = randomized(features, predictions)
    assert joint.shape == (2, 200_000)
    exact = (features[0] @ features[1]) * (predictions[0] @ predictions[1])
    assert float(joint[0] @ joint[1]) == pytest.approx(float(exact), rel=0.05)


def test_entropy_weights_are_2_for_certain_and_near_1_for_uniform_predictions() -> None:
    weights = entropy_weights(torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.25] * 4]))
    assert weights.tolist() == pytest.approx([2.0, 1 + math.exp(-math.log(4))])


def test_the_gradient_of_the_map_is_the_prediction() -> None:
    features = torch.ones(1, 3, requires_grad=True)
    predictions = torch.tensor([[0.25, 0.75]])
    joint = MultilinearMap(3, 2, max_dimensions=6, random_dimensions=4)(features, predictions)
    joint[0, 3:].sum().backward()
    assert features.grad is not None
    assert torch.equal(features.grad, torch.full((1, 3), 0.75))

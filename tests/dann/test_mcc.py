"""MCC: class confusion against values computed by hand."""

import pytest
import torch

from hw2.dann.methods.mcc import class_confusion


def test_uniform_predictions_are_confused_in_all_other_classes() -> None:
    assert float(class_confusion(torch.zeros(6, 4), 2.5)) == pytest.approx(0.75)


def test_certain_predictions_are_not_confused() -> None:
    assert float(class_confusion(100 * torch.eye(4), 2.5)) == pytest.approx(0, abs=1e-6)


def test_the_confusion_of_two_classes_matches_values_by_hand() -> None:
    # Predictions (p, 1 - p) and (1 - p, p) have the same entropy, so both weights are 1.
    p = 0.8
    logits = 2.0 * torch.tensor([[p, 1 - p], [1 - p, p]]).log()
    between = 2 * p * (1 - p)  # the off-diagonal entry; rows sum to p + (1 - p) = 1
    assert float(class_confusion(logits, 2.0)) == pytest.approx(between)


def test_certain_images_weigh_more() -> None:
    certain, unsure = torch.tensor([[0.99, 0.01]]), torch.tensor([[0.6, 0.4]])
    images = torch.cat([certain, unsure, certain.flip(1), unsure.flip(1)])
    entropy = torch.special.entr(images).sum(1)
    weights = (1 + torch.exp(-entropy)) / (1 + torch.exp(-entropy)).mean()
    matrix = sum(w * torch.outer(row, row) for w, row in zip(weights, images, strict=True))
    assert isinstance(matrix, torch.Tensor)
    rows = matrix / matrix.sum(1, keepdim=True)
    expected = (rows[0, 1] + rows[1, 0]) / 2
    assert torch.allclose(class_confusion(images.log(), 1.0), expected)


def test_gradient_descent_reduces_the_confusion() -> None:
    logits = torch.randn(16, 5, generator=torch.Generator().manual_seed(1), requires_grad=True)
    before = class_confusion(logits, 2.5)
    (gradient,) = torch.autograd.grad(before, logits)
    after = class_confusion(logits - 5 * gradient, 2.5)
    assert after.item() < before.item()

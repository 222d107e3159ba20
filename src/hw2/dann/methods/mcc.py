"""Minimum class confusion, MCC (Jin et al., 2020)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from hw2.dann.method import Batch, Method, Numbers


class Mcc(Method):
    """Cross-entropy on the source plus the class confusion of the target's predictions.

    It needs neither a domain classifier nor source features.
    """

    def loss(self, source: Batch, target: Batch) -> tuple[Tensor, Numbers]:
        """Label loss plus weighted class confusion."""
        assert source.digits is not None
        label = F.cross_entropy(source.logits, source.digits)
        confusion = class_confusion(target.logits, self.hyperparameters.temperature)
        numbers: Numbers = {"label": label.detach(), "confusion": confusion.detach()}
        return label + self.hyperparameters.loss_weight * confusion, numbers


def class_confusion(logits: Tensor, temperature: float) -> Tensor:
    """Mean confusion between different classes, a scalar in [0, 1), of logits (N, C).

    Softmax with temperature, weights 1 + exp(-H) that are constants and have mean 1, class
    correlation, and normalization of each class (section 3 of the paper).
    """
    predictions = (logits / temperature).softmax(1)
    entropy = torch.special.entr(predictions.detach()).sum(1)
    weights = 1 + torch.exp(-entropy)
    weights = weights / weights.mean()
    correlation = (predictions * weights[:, None]).T @ predictions
    normalized = correlation / correlation.sum(1, keepdim=True)
    return (normalized.sum() - normalized.trace()) / len(normalized)

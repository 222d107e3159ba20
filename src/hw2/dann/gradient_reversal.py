"""Gradient reversal and its strength (Ganin et al., 2016, sections 4.2 and 5.2.2)."""

import math
from typing import Any

import torch
from torch import Tensor


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reverse(x: Tensor, strength: float) -> Tensor:
    """Return `x` unchanged; its gradient is multiplied by -`strength`.

    Layers after it learn to separate the domains, and layers before it learn to prevent that.
    """
    return _Reverse.apply(x, strength)


def schedule(progress: float, cap: float) -> float:
    """Strength at `progress` in [0, 1] of the training: `cap` * (2 / (1 + exp(-10 p)) - 1).

    The strength starts at 0, because the domain classifier is unreliable early in the training.
    """
    return cap * (2 / (1 + math.exp(-10 * progress)) - 1)

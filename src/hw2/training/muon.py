"""Muon (Jordan et al., 2024) for convolutions: momentum whose update is made near-orthogonal."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer


class Muon(Optimizer):
    """SGD with Nesterov momentum and orthogonalized updates, for weights of two or more dimensions.

    torch's own Muon takes matrices only; a convolution's weight (O, I, h, w) counts as the matrix
    (O, I h w) here. The update is scaled by 0.2 sqrt(max(shape)), which gives it the size of an
    AdamW update (Liu et al., 2025, "Muon is scalable"), so both can share a learning-rate schedule.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.mul_(group["momentum"]).add_(p.grad)
                update = orthogonal((p.grad + group["momentum"] * buffer).flatten(1))
                size = 0.2 * math.sqrt(max(update.shape))
                p.add_(update.reshape(p.shape), alpha=-group["lr"] * size)


def orthogonal(matrix: Tensor, iterations: int = 4) -> Tensor:
    """The nearest matrix with singular values of about 1, by quintic Newton-Schulz iteration.

    The coefficients are Muon's: they trade exactness (values end in about 0.7 to 1.2) for speed.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if tall else x

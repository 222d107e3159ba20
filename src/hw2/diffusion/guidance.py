"""Classifier-free guidance (Ho & Salimans, 2022): one network, with and without its condition.

The weight here is the paper's w, in which 0 is no guidance: (1 + w) eps(x, c) - w eps(x). The other
common convention, `scale`, in which 1 is none, is scale = 1 + w; `paper_weight` converts.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Convention = Literal["ho-salimans", "scale"]
Network = Callable[[Tensor, Tensor, Tensor], Tensor]  # (xt, t, labels) -> output


def paper_weight(value: float, convention: Convention) -> float:
    """A guidance weight in the paper's convention, where 0 means no guidance."""
    return value - 1 if convention == "scale" else value


def guided(
    network: Network, labels: Tensor, weight: float, null_label: int
) -> Callable[[Tensor, Tensor], Tensor]:
    """The guided network as a function of (xt, t) alone.

    Costs one call per image for `weight` 0 and two otherwise. Mixing outputs is the same for eps
    and v predictions, since both are affine in each other at a given xt.
    """

    def output(xt: Tensor, t: Tensor) -> Tensor:
        if weight == 0:
            return network(xt, t, labels)
        null = torch.full_like(labels, null_label)
        both = network(torch.cat([xt, xt]), torch.cat([t, t]), torch.cat([labels, null]))
        conditional, unconditional = both.chunk(2)
        return (1 + weight) * conditional - weight * unconditional

    return output


def drop_labels(
    labels: Tensor, p_uncond: float, null_label: int, generator: torch.Generator
) -> Tensor:
    """Labels (N,) of which each becomes the null label with probability `p_uncond`."""
    dropped = torch.rand(labels.shape, generator=generator) < p_uncond
    return torch.where(dropped, null_label, labels)

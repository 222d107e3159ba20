"""How often a training visits each noise level, as quantile functions.

A quantile function maps u, uniform in [0, 1), to t / T in [0, 1], both float of any shape.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Quantiles = Callable[[Tensor], Tensor]


def uniform(u: Tensor) -> Tensor:
    """Every noise level equally often (Ho et al., 2020, algorithm 1)."""
    return u


def logit_normal(mean: float, std: float) -> Quantiles:
    """The logit of t / T is normal (Esser et al., 2024, "Scaling Rectified Flow Transformers").

    Training concentrates on the middle, where the content of an image is decided. Nearly clean and
    nearly pure noise teach little: the one has to be copied, the other cannot be told apart.
    """
    return lambda u: torch.sigmoid(mean + std * torch.special.ndtri(u))


def power(exponent: float) -> Quantiles:
    """Quantiles t / T = u ** exponent; an exponent below 1 visits noisy images more often."""
    return lambda u: u**exponent

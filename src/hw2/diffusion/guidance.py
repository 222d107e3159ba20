"""Classifier-free guidance (Ho & Salimans, 2022): a network with and without its condition.

The guidance scale s is defined as in diffusers and Stable Diffusion:

    output = unconditional + s (conditional - unconditional)

1 is no guidance and 0 ignores the condition. Ho & Salimans' weight w is s - 1.
"""

from collections.abc import Callable

import torch
from torch import Tensor

NO_GUIDANCE = 1.0
Network = Callable[[Tensor, Tensor, Tensor], Tensor]  # (xt, t, labels) -> output


def guided(
    network: Network, labels: Tensor, guidance_scale: float, null_label: int
) -> Callable[[Tensor, Tensor], Tensor]:
    """The guided network as a function of (xt, t) alone.

    It evaluates the network once per image at scale 1 and twice otherwise. Mixing outputs is the
    same for x0, eps and v, since each is affine in the others at a given xt.
    """

    def output(xt: Tensor, t: Tensor) -> Tensor:
        if guidance_scale == NO_GUIDANCE:
            return network(xt, t, labels)
        null = torch.full_like(labels, null_label)
        both = network(torch.cat([xt, xt]), torch.cat([t, t]), torch.cat([labels, null]))
        conditional, unconditional = both.chunk(2)
        return guidance_scale * conditional - (guidance_scale - 1) * unconditional

    return output


def drop_labels(
    labels: Tensor, p_uncond: float, null_label: int, generator: torch.Generator
) -> Tensor:
    """Labels (N,) of which each becomes the null label with probability `p_uncond`."""
    dropped = torch.rand(labels.shape, generator=generator) < p_uncond
    return torch.where(dropped, null_label, labels)

"""Classifier-free guidance (Ho & Salimans, 2022): a network with and without its condition.

The guidance scale s is defined as in diffusers and Stable Diffusion:

    output = unconditional + s (conditional - unconditional)

1 is no guidance and 0 ignores the condition. Ho & Salimans' weight w is s - 1.

Guidance may be limited to an interval of noise levels (Kynkäänniemi et al., 2024): at the highest
levels it removes variety, and at the lowest it costs a network call and changes little.

It may also be limited to the gray value: a scale above 1 extrapolates, and extrapolated colors are
more vivid than those of any training image.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hw2.io.images import LUMA

NO_GUIDANCE = 1.0
EVERYWHERE = (0.0, 1.0)
Network = Callable[[Tensor, Tensor, Tensor], Tensor]  # (xt, t, labels) -> output


@dataclass(frozen=True)
class Guidance:
    """How much guidance there is, and where.

    Attributes:
        scale: The guidance scale.
        interval: The noise levels that are guided, from and to, as fractions of the timesteps T:
            times t with from <= t / T <= to.
        color: The share of the extrapolation beyond the condition that may change colors: 1 is the
            rule above, and with 0 all three channels move by the difference of their gray values.
    """

    scale: float
    interval: tuple[float, float] = EVERYWHERE
    color: float = 1.0


def guided(
    network: Network, labels: Tensor, guidance: Guidance, null_label: int, timesteps: int
) -> Callable[[Tensor, Tensor], Tensor]:
    """The guided network as a function of (xt, t) alone.

    Samplers bring all images of a batch to one time, so the first image's time says whether the
    batch is within the interval.

    It evaluates the network once per image where there is no guidance and twice elsewhere. Mixing
    outputs is the same for x0, eps and v, since each is affine in the others at a given xt.

    Args:
        network: Takes noisy images (N, 3, H, W), times (N,) and labels (N,).
        labels: The condition of each image.
        guidance: How much, and where.
        null_label: The label of no condition.
        timesteps: T, the number of noise levels.
    """
    scale, (lowest, highest) = guidance.scale, guidance.interval
    # Reading a time makes the processor wait for a GPU, and is not needed where all are guided.
    everywhere = guidance.interval == EVERYWHERE

    def output(xt: Tensor, t: Tensor) -> Tensor:
        inside = everywhere or lowest <= int(t[0]) / timesteps <= highest
        if scale == NO_GUIDANCE or not inside:
            return network(xt, t, labels)
        null = torch.full_like(labels, null_label)
        both = network(torch.cat([xt, xt]), torch.cat([t, t]), torch.cat([labels, null]))
        conditional, unconditional = both.chunk(2)
        if guidance.color == 1 or scale < NO_GUIDANCE:
            return scale * conditional - (scale - 1) * unconditional
        difference = conditional - unconditional
        weights = difference.new_tensor(LUMA).reshape(3, 1, 1)
        gray = (weights * difference).sum(1, keepdim=True)
        return conditional + (scale - 1) * (gray + guidance.color * (difference - gray))

    return output


def drop_labels(
    labels: Tensor, p_uncond: float, null_label: int, generator: torch.Generator
) -> Tensor:
    """Labels (N,) of which each becomes the null label with probability `p_uncond`."""
    drawn = torch.rand(labels.shape, generator=generator, device=generator.device)
    return torch.where((drawn < p_uncond).to(labels.device), null_label, labels)

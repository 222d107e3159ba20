"""The contract between the sampling loop and a step rule."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Estimate:
    """What the network predicts at one time: the clean images and the noise, both (N, C, H, W)."""

    x0: Tensor
    eps: Tensor


Denoise = Callable[[Tensor, int], Estimate]
"""The (guided) network as a function of noisy images (N, C, H, W) and their time."""


class Sampler(Protocol):
    """A step rule. An instance serves one sampling run, so it may keep earlier estimates."""

    @property
    def uses_noise(self) -> bool:
        """Whether a step takes fresh noise, except the last one."""

    def step(self, denoise: Denoise, x: Tensor, t: int, s: int, noise: Tensor | None) -> Tensor:
        """Go from images `x` at time `t` to images at the less noisy time `s`.

        Args:
            denoise: evaluates the network, as often as the rule needs.
            x: (N, C, H, W).
            s: less than `t`; -1 is the clean image.
            noise: standard normal, shaped like `x`; None if the step takes none.
        """

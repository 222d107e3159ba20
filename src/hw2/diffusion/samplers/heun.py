"""Heun's method (Karras et al., 2022, algorithm 1 without fresh noise) on the times of DDPM."""

from torch import Tensor

from hw2.diffusion.samplers.base import Denoise
from hw2.diffusion.schedule import Schedule

MAX_SIGMA_RATIO = 20.0
"""Largest ratio of noise levels that a second-order step spans.

The trapezoid rule multiplies the difference of two estimates by half of this ratio. The cosine
schedule starts at sigma = 2e4, from where the first step would leave the range of images.
"""


class Heun:
    """Second order: each step takes the mean of the slopes at both of its ends.

    The ODE is that of sigma = sqrt((1 - abar) / abar) and x / sqrt(abar), as in diffusers'
    HeunDiscreteScheduler. A step evaluates the network twice. The last step, where sigma is 0, and
    steps over more than `MAX_SIGMA_RATIO` are Euler steps with one evaluation.
    """

    uses_noise = False

    def __init__(self, schedule: Schedule) -> None:
        self._abar = schedule.abar
        self._sigma = ((1 - schedule.abar) / schedule.abar).sqrt()

    def step(self, denoise: Denoise, x: Tensor, t: int, s: int, noise: Tensor | None) -> Tensor:
        x0 = denoise(x, t).x0
        if s < 0:
            return x0
        signal = self._abar[s].sqrt()
        ratio = self._sigma[t] / self._sigma[s]
        sigma_ratio = ((1 - self._abar[s]) / (1 - self._abar[t])).sqrt()
        euler = sigma_ratio.to(x) * x + (signal * (1 - 1 / ratio)).to(x) * x0
        if ratio > MAX_SIGMA_RATIO:
            return euler
        # In this form nothing large cancels: the slopes differ by (x0 - x0_next) / sigma[s].
        x0_next = denoise(euler, s).x0
        return euler + (signal * (ratio - 1) / 2).to(x) * (x0_next - x0)

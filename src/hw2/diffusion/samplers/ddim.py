"""DDIM (Song et al., 2021) and, as its stochastic end, ancestral DDPM (Ho et al., 2020)."""

from dataclasses import dataclass

from torch import Tensor

from hw2.diffusion.samplers.base import Denoise
from hw2.diffusion.schedule import Schedule


@dataclass(frozen=True)
class DDIM:
    """Equation 12 of the DDIM paper.

    Args:
        eta: share of fresh noise; 0 is deterministic, 1 has the moments of DDPM's posterior.
    """

    schedule: Schedule
    eta: float

    @property
    def uses_noise(self) -> bool:
        return self.eta > 0

    def step(self, denoise: Denoise, x: Tensor, t: int, s: int, noise: Tensor | None) -> Tensor:
        estimate = denoise(x, t)
        if s < 0:
            return estimate.x0
        abar_t, abar_s = self.schedule.abar[t], self.schedule.abar[s]
        variance = self.eta**2 * (1 - abar_s) / (1 - abar_t) * (1 - abar_t / abar_s)  # equation 16
        direction = (1 - abar_s - variance).clamp(min=0).sqrt().to(x)
        mean = abar_s.sqrt().to(x) * estimate.x0 + direction * estimate.eps
        return mean if noise is None else mean + variance.sqrt().to(x) * noise

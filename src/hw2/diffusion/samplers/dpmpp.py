"""DPM-Solver++ 2M (Lu et al., 2022): second order from two estimates, one evaluation a step."""

import torch
from torch import Tensor

from hw2.diffusion.samplers.base import Denoise
from hw2.diffusion.schedule import Schedule


class DPMSolverPP2M:
    """Algorithm 2 of the paper; the first and the last step are of first order.

    lambda = log(sqrt(abar) / sqrt(1 - abar)) is half the log signal-to-noise ratio.
    """

    uses_noise = False

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._lambda = 0.5 * (schedule.abar / (1 - schedule.abar)).log()
        self._previous: tuple[int, Tensor] | None = None  # time and estimate of the step before

    def step(self, denoise: Denoise, x: Tensor, t: int, s: int, noise: Tensor | None) -> Tensor:
        x0 = denoise(x, t).x0
        if s < 0:
            return x0
        h = self._lambda[s] - self._lambda[t]
        extrapolated = x0
        if self._previous is not None:
            t_before, x0_before = self._previous
            r = (self._lambda[t] - self._lambda[t_before]) / h
            extrapolated = x0 + ((x0 - x0_before) / (2 * r).to(x))
        self._previous = (t, x0)
        abar = self._schedule.abar
        sigma_ratio = ((1 - abar[s]) / (1 - abar[t])).sqrt()
        return sigma_ratio.to(x) * x - (abar[s].sqrt() * torch.expm1(-h)).to(x) * extrapolated

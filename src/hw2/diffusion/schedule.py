"""Noise schedules of DDPM (Ho et al., 2020) and the conversions between eps, x0 and v.

Notation: `abar[t]` is the cumulative product of 1 - beta up to and with step t, for t = 0 ... T-1
(0 is the least noisy); xt = sqrt(abar) x0 + sqrt(1 - abar) eps;
v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans & Ho, 2022). Tables are
float64, results take the dtype of the images.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Prediction = Literal["x0", "eps", "v"]
"""What a network's output means: the clean image, the noise, or v."""

LEAST_NOISE = 0.05
"""Where an x0 output is divided by sqrt(1 - abar), the divisor is at least this: below it, images
are nearly clean, and a small error of x0 would become an arbitrarily large one of v."""


@dataclass(frozen=True)
class Schedule:
    """A noise schedule: `abar`, float64 (T,), strictly decreasing in (0, 1)."""

    abar: Tensor

    @property
    def timesteps(self) -> int:
        return len(self.abar)

    def to(self, device: torch.device) -> "Schedule":
        """The same schedule for times (N,) on `device`; integer times go with any device."""
        return Schedule(self.abar.to(device))

    def signal_noise(self, t: Tensor | int, like: Tensor) -> tuple[Tensor, Tensor]:
        """sqrt(abar[t]) and sqrt(1 - abar[t]), shaped to multiply images `like` (N, C, H, W)."""
        abar = self.abar[t].reshape(-1, *([1] * (like.dim() - 1)))
        return abar.sqrt().to(like), (1 - abar).sqrt().to(like)

    def add_noise(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """A sample of q(xt | x0) (DDPM, equation 4): images (N, C, H, W), t int64 (N,)."""
        signal, noise = self.signal_noise(t, x0)
        return signal * x0 + noise * eps

    def target(self, x0: Tensor, eps: Tensor, t: Tensor, prediction: Prediction) -> Tensor:
        """What the network is trained to predict at `t`."""
        if prediction == "x0":
            return x0
        if prediction == "eps":
            return eps
        signal, noise = self.signal_noise(t, x0)
        return signal * eps - noise * x0

    def x0_eps(
        self, output: Tensor, xt: Tensor, t: Tensor | int, prediction: Prediction
    ) -> tuple[Tensor, Tensor]:
        """The network's output as an estimate of the clean image and of the noise.

        An x0 output goes by way of v, as in training. Where the noise is below `LEAST_NOISE`, the
        estimate of the clean image therefore moves from the output towards `xt`, and in every case
        sqrt(abar) x0 + sqrt(1 - abar) eps is `xt`.
        """
        signal, noise = self.signal_noise(t, xt)
        if prediction == "eps":
            return (xt - noise * output) / signal, output
        v = self.v_from_x0(output, xt, t) if prediction == "x0" else output
        return signal * xt - noise * v, noise * xt + signal * v

    def v_from_x0(self, x0: Tensor, xt: Tensor, t: Tensor | int) -> Tensor:
        """Convert an estimate of the clean image to an estimate of v.

        v = (sqrt(abar) xt - x0) / sqrt(1 - abar). The divisor is at least `LEAST_NOISE`.
        """
        signal, noise = self.signal_noise(t, xt)
        return (signal * xt - x0) / noise.clamp(min=LEAST_NOISE)


def make(kind: Literal["linear", "cosine"], timesteps: int) -> Schedule:
    """A named schedule.

    `linear`: beta from 1e-4 to 0.02 over 1000 steps (DDPM, section 4), scaled to other step counts.
    `cosine`: Nichol & Dhariwal (2021), equation 17, beta at most 0.999.
    """
    if kind == "linear":
        scale = 1000 / timesteps
        beta = torch.linspace(1e-4 * scale, 0.02 * scale, timesteps, dtype=torch.float64).clamp(
            max=0.999
        )
    else:
        edge = torch.arange(timesteps + 1, dtype=torch.float64) / timesteps
        curve = torch.cos((edge + 0.008) / 1.008 * math.pi / 2) ** 2
        beta = (1 - curve[1:] / curve[:-1]).clamp(max=0.999)
    return Schedule((1 - beta).cumprod(0))

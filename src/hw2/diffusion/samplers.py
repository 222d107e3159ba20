"""Samplers of a diffusion model: one loop, and the step is the variable.

Every step takes the noisy image and the network's estimates at time t to time s < t; s = -1 is the
clean image. Which times are visited is one named choice, a `Grid`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from hw2.diffusion.schedule import Prediction, Schedule

SamplerName = Literal["ddpm", "ddim", "dpmpp"]
Grid = Literal["trailing", "leading", "course"]
Noise = Callable[[int], Tensor]  # step number -> standard normal noise shaped like the images
Step = Callable[
    [Tensor, Tensor, Tensor, int, int, Tensor | None], Tensor
]  # (xt, x0, eps, t, s, noise) -> xs


@dataclass(frozen=True)
class State:
    """`images` at time `t` (T-1 is pure noise, -1 clean) and the estimate `x0` that led there."""

    t: int
    images: Tensor
    x0: Tensor | None


def times(timesteps: int, steps: int, grid: Grid = "trailing") -> list[int]:
    """`steps` + 1 falling times, evenly spaced, the last one where sampling ends.

    With T = 1000 and 50 steps:
        trailing: 999, 979, ..., 19, -1. Starts at the noisiest time for any count (Lin et al.,
            2024).
        leading: 980, 960, ..., 0, -1. DDIM's code and diffusers' default; never sees the noisiest
            times.
        course: 981, 961, ..., 1, 0. What gives the course's face images: it is `leading` one later,
            and ends at abar[0], not at 1.

    Raises:
        ValueError: where there are not so many times.
    """
    later = int(grid == "course")
    if not 1 <= steps <= timesteps or (later and 2 * steps > timesteps):
        raise ValueError(f"cannot make {steps} steps of {timesteps} timesteps")
    if grid == "trailing":
        return [*(round(timesteps - k * timesteps / steps) - 1 for k in range(steps)), -1]
    rising = [k * timesteps // steps + later for k in range(steps)]
    return [*reversed(rising), later - 1]


def sample(
    output: Callable[[Tensor, Tensor], Tensor],
    schedule: Schedule,
    prediction: Prediction,
    start: Tensor,
    *,
    sampler: SamplerName,
    steps: int,
    grid: Grid = "trailing",
    eta: float = 0.0,
    noise: Noise | None = None,
    clipped_eps: bool = True,
) -> Iterator[State]:
    """Sample, yielding the state before the first step and after each one.

    Args:
        output: the (guided) network as a function of images (N, C, H, W) and times int64 (N,).
        start: standard normal noise (N, C, H, W).
        eta: DDIM's share of fresh noise; 0 is deterministic, 1 is ancestral DDPM. Only for `ddim`.
        noise: fresh noise by step number, needed where the step is random.
        clipped_eps: whether the step goes on with the noise that fits the estimate of x0, which is
            clipped to [-1, 1], or with the noise as the network said it (DDIM, equation 12).
    """
    step, random = _step(sampler, schedule, eta)
    images = start
    visited = times(schedule.timesteps, steps, grid)
    yield State(visited[0], images, None)
    for k, (t, s) in enumerate(pairwise(visited)):
        moment = torch.full((len(images),), t, dtype=torch.int64, device=images.device)
        x0, eps = schedule.x0_eps(output(images, moment), images, t, prediction)
        x0 = x0.clamp(-1, 1)
        if clipped_eps:
            signal, sigma = schedule.signal_noise(t, images)
            eps = (images - signal * x0) / sigma
        fresh = noise(k) if random and s >= 0 and noise is not None else None
        images = step(images, x0, eps, t, s, fresh)
        yield State(s, images, x0)


def final(states: Iterator[State]) -> Tensor:
    """The clean images (N, C, H, W) at the end of sampling."""
    for state in states:
        last = state
    return last.images


def _step(sampler: SamplerName, schedule: Schedule, eta: float) -> tuple[Step, bool]:
    if sampler == "dpmpp":
        return _dpmpp_2m(schedule), False
    eta = 1.0 if sampler == "ddpm" else eta
    return _ddim(schedule, eta), eta > 0


def _ddim(schedule: Schedule, eta: float) -> Step:
    """DDIM (Song et al., 2021), equation 12; eta 1 has the moments of DDPM's posterior."""

    def step(xt: Tensor, x0: Tensor, eps: Tensor, t: int, s: int, noise: Tensor | None) -> Tensor:
        if s < 0:
            return x0
        abar_t, abar_s = schedule.abar[t], schedule.abar[s]
        variance = eta**2 * (1 - abar_s) / (1 - abar_t) * (1 - abar_t / abar_s)  # equation 16
        direction = (1 - abar_s - variance).clamp(min=0).sqrt().to(xt)
        mean = abar_s.sqrt().to(xt) * x0 + direction * eps
        return mean if noise is None else mean + variance.sqrt().to(xt) * noise

    return step


def _dpmpp_2m(schedule: Schedule) -> Step:
    """DPM-Solver++ 2M (Lu et al., 2022), algorithm 2; first and last step are of order 1.

    lambda = log(sqrt(abar) / sqrt(1 - abar)) is half the log signal-to-noise ratio.
    """
    lam = 0.5 * (schedule.abar / (1 - schedule.abar)).log()
    previous: list[tuple[int, Tensor]] = []

    def step(xt: Tensor, x0: Tensor, eps: Tensor, t: int, s: int, noise: Tensor | None) -> Tensor:
        if s < 0:
            return x0
        h = lam[s] - lam[t]
        estimate = x0
        if previous:
            before, x0_before = previous.pop()
            r = (lam[t] - lam[before]) / h
            estimate = x0 + ((x0 - x0_before) / (2 * r).to(xt))
        previous.append((t, x0))
        sigma_ratio = ((1 - schedule.abar[s]) / (1 - schedule.abar[t])).sqrt()
        return (
            sigma_ratio.to(xt) * xt - (schedule.abar[s].sqrt() * torch.expm1(-h)).to(xt) * estimate
        )

    return step

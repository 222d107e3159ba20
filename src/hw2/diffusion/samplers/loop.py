"""The sampling loop, the same for every sampler."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from hw2.config.choices import TimestepSpacing
from hw2.diffusion.samplers import registry
from hw2.diffusion.samplers.base import Denoise, Estimate
from hw2.diffusion.samplers.timesteps import spaced_timesteps
from hw2.diffusion.schedule import Prediction, Schedule

Output = Callable[[Tensor, Tensor], Tensor]
"""The (guided) network: images (N, C, H, W) and times int64 (N,) to its prediction (N, C, H, W)."""
FreshNoise = Callable[[int], Tensor]
"""Step number to standard normal noise shaped like the images."""


@dataclass(frozen=True)
class State:
    """`images` (N, C, H, W) at time `t`: T-1 is pure noise, -1 is clean."""

    t: int
    images: Tensor


def sample(
    output: Output,
    schedule: Schedule,
    prediction: Prediction,
    start: Tensor,
    *,
    sampler: str,
    steps: int,
    spacing: TimestepSpacing = "trailing",
    spacing_exponent: float = 1.0,
    eta: float = 0.0,
    noise: FreshNoise | None = None,
    use_clipped_model_output: bool = True,
) -> Iterator[State]:
    """Sample, yielding the state before the first step and after each one.

    Args:
        start: standard normal noise (N, C, H, W).
        sampler: a name of the registry.
        spacing, spacing_exponent: which times are visited, see `spaced_timesteps`.
        eta: DDIM's share of fresh noise, in [0, 1]; other samplers ignore it.
        noise: fresh noise by step number, needed by a sampler that uses noise.
        use_clipped_model_output: whether a step continues with the noise that fits the estimate of
            x0, which is clipped to [-1, 1], or with the noise as predicted (DDIM, equation 12).
    """
    rule = registry.make(sampler, schedule, eta)
    denoise = denoiser(output, schedule, prediction, use_clipped_model_output)
    images = start
    times = spaced_timesteps(schedule.timesteps, steps, spacing, spacing_exponent)
    yield State(times[0], images)
    for k, (t, s) in enumerate(pairwise(times)):
        fresh = noise(k) if rule.uses_noise and s >= 0 and noise is not None else None
        images = rule.step(denoise, images, t, s, fresh)
        yield State(s, images)


def denoiser(
    output: Output, schedule: Schedule, prediction: Prediction, use_clipped_model_output: bool
) -> Denoise:
    """The network as samplers see it; see `sample` for the arguments."""

    def denoise(images: Tensor, t: int) -> Estimate:
        times = torch.full((len(images),), t, dtype=torch.int64, device=images.device)
        x0, eps = schedule.x0_eps(output(images, times), images, t, prediction)
        x0 = x0.clamp(-1, 1)
        if use_clipped_model_output:
            signal, sigma = schedule.signal_noise(t, images)
            eps = (images - signal * x0) / sigma
        return Estimate(x0, eps)

    return denoise


def final(states: Iterator[State]) -> Tensor:
    """The clean images (N, C, H, W) at the end of sampling."""
    for state in states:
        last = state
    return last.images

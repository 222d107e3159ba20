"""Sampling from a pipeline: image k of a stream depends on (seed, stream, k) only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hw2 import rng
from hw2.config import params


@dataclass(frozen=True)
class SampleRequest:
    """A requested image: its prompt, and the stream and number of its initial noise."""

    prompt: str
    stream: str
    number: int


def noises(pipe: Any, seed: int, stream: str, numbers: Sequence[int]) -> Tensor:
    """Initial latents float32 (N, C, h, w), each from its own random stream on the CPU."""
    side = pipe.unet.config.sample_size
    shape = (pipe.unet.config.in_channels, side, side)
    return torch.stack(
        [torch.randn(shape, generator=rng.torch_rng(seed, stream, k)) for k in numbers]
    )


def starts(pipe: Any, seed: int, requests: Sequence[SampleRequest]) -> Tensor:
    """The initial latents of the requested images: float32 (N, C, h, w)."""
    return torch.cat([noises(pipe, seed, item.stream, [item.number]) for item in requests])


def use_sampler(pipe: Any, sampler: str) -> None:
    """Set the scheduler of the pipeline.

    `own` leaves the pipeline's scheduler, `dpmpp` is DPM-Solver++ of order 2 as in the course's
    script.
    """
    if sampler == "dpmpp":
        from diffusers.schedulers.scheduling_dpmsolver_multistep import (  # slow to import
            DPMSolverMultistepScheduler,
        )

        pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)


def draw(
    pipe: Any,
    prompt: str,
    numbers: Sequence[int],
    how: params.PersonalizationSampling,
    *,
    seed: int,
    stream: str,
    tick: Callable[[int], object] = lambda images: None,
) -> np.ndarray:
    """Sample images uint8 (N, S, S, 3) of a prompt.

    Args:
        pipe: The pipeline.
        prompt: The prompt; the pipeline expands tokens of several vectors itself.
        numbers: Numbers of the images in the stream.
        how: Sampling settings.
        seed: Seed of the initial noises.
        stream: Name of the random stream.
        tick: Called with the number of finished images.
    """
    requests = [SampleRequest(prompt, stream, number) for number in numbers]
    return draw_all(pipe, requests, how, seed=seed, tick=tick)


def draw_all(
    pipe: Any,
    requests: Sequence[SampleRequest],
    how: params.PersonalizationSampling,
    *,
    seed: int,
    tick: Callable[[int], object] = lambda images: None,
) -> np.ndarray:
    """Sample images uint8 (N, S, S, 3) of any prompts, `how.batch_size` at a time."""
    result = []
    for start in range(0, len(requests), how.batch_size):
        part = requests[start : start + how.batch_size]
        latents = starts(pipe, seed, part)
        images = pipe(
            prompt=[item.prompt for item in part],
            latents=latents.to(pipe.unet.device, pipe.unet.dtype),
            num_inference_steps=how.steps,
            guidance_scale=how.guidance_scale,
            output_type="np",
        ).images
        result.append((images * 255).round().astype(np.uint8))
        tick(len(part))
    return np.concatenate(result)

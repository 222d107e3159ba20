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


def initial_noises(pipe: Any, seed: int, stream: str, numbers: Sequence[int]) -> Tensor:
    """Initial latents float32 (N, C, h, w), each from its own random stream on the CPU."""
    side = pipe.unet.config.sample_size
    shape = (pipe.unet.config.in_channels, side, side)
    return torch.stack(
        [torch.randn(shape, generator=rng.torch_rng(seed, stream, k)) for k in numbers]
    )


def initial_latents(pipe: Any, seed: int, requests: Sequence[SampleRequest]) -> Tensor:
    """The initial latents of the requested images: float32 (N, C, h, w)."""
    return torch.cat([initial_noises(pipe, seed, r.stream, [r.number]) for r in requests])


def use_sampler(pipe: Any, sampler: str) -> None:
    """Set the scheduler of the pipeline.

    `pipeline` leaves that of the pipeline, `dpmpp` is DPM-Solver++ of order 2 as in the course's
    script.
    """
    if sampler == "dpmpp":
        from diffusers.schedulers.scheduling_dpmsolver_multistep import (  # slow to import
            DPMSolverMultistepScheduler,
        )

        pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)


def sample_prompt(
    pipe: Any,
    prompt: str,
    numbers: Sequence[int],
    sampling: params.PersonalizationSampling,
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
        sampling: Sampling settings; `guidance_scale` is that of `hw2.diffusion.guidance`.
        seed: Seed of the initial noises.
        stream: Name of the random stream.
        tick: Called with the number of finished images.
    """
    requests = [SampleRequest(prompt, stream, number) for number in numbers]
    return sample_requests(pipe, requests, sampling, seed=seed, tick=tick)


def sample_requests(
    pipe: Any,
    requests: Sequence[SampleRequest],
    sampling: params.PersonalizationSampling,
    *,
    seed: int,
    tick: Callable[[int], object] = lambda images: None,
) -> np.ndarray:
    """Sample images uint8 (N, S, S, 3) of any prompts, `sampling.batch_size` at a time."""
    images = []
    for start in range(0, len(requests), sampling.batch_size):
        batch = requests[start : start + sampling.batch_size]
        latents = initial_latents(pipe, seed, batch)
        sampled = pipe(
            prompt=[request.prompt for request in batch],
            latents=latents.to(pipe.unet.device, pipe.unet.dtype),
            num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance_scale,
            output_type="np",
        ).images
        images.append((sampled * 255).round().astype(np.uint8))
        tick(len(batch))
    return np.concatenate(images)

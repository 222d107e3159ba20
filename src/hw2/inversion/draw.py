"""Images drawn from a pipeline: image k of a stream depends on (seed, stream, k) only."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hw2 import params, rng


def noises(pipe: Any, seed: int, stream: str, numbers: Sequence[int]) -> Tensor:
    """Starting latents float32 (N, C, h, w), each from a stream of its own on the CPU."""
    side = pipe.unet.config.sample_size
    shape = (pipe.unet.config.in_channels, side, side)
    return torch.stack(
        [torch.randn(shape, generator=rng.torch_rng(seed, stream, k)) for k in numbers]
    )


def use_sampler(pipe: Any, sampler: str) -> None:
    """`own` leaves the pipeline's scheduler, `dpmpp` is DPM-Solver++ of order 2, as the course's
    script has."""
    if sampler == "dpmpp":
        from diffusers.schedulers.scheduling_dpmsolver_multistep import (  # slow to import
            DPMSolverMultistepScheduler,
        )

        pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)


def draw(
    pipe: Any,
    prompt: str,
    numbers: Sequence[int],
    how: params.Drawing,
    *,
    seed: int,
    stream: str,
    tick: Callable[[int], object] = lambda images: None,
) -> np.ndarray:
    """Images uint8 (N, S, S, 3) of a prompt, `how.batch` at a time.

    Args:
        prompt: the pipeline itself writes out tokens of several vectors.
        numbers: which images of the stream.
    """
    found = []
    for start in range(0, len(numbers), how.batch):
        part = numbers[start : start + how.batch]
        latents = noises(pipe, seed, stream, part).to(pipe.unet.device, pipe.unet.dtype)
        images = pipe(
            prompt=[prompt] * len(part),
            latents=latents,
            num_inference_steps=how.steps,
            guidance_scale=how.scale,
            output_type="np",
        ).images
        found.append((images * 255).round().astype(np.uint8))
        tick(len(part))
    return np.concatenate(found)

"""DDIM sampling of faces: a face depends on its noise and the setting, not on its batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hw2 import rng
from hw2.config.choices import Precision, TimestepSpacing
from hw2.diffusion.samplers import loop
from hw2.faces.model import FaceModel
from hw2.training.parallel import even_slices, map_batches
from hw2.training.precision import autocast


@dataclass(frozen=True)
class Setting:
    """Settings of DDIM.

    Attributes:
        steps: Number of network calls.
        timestep_spacing: Which times of the schedule are visited.
        eta: Share of fresh noise, from 0 (deterministic) to 1.
    """

    steps: int
    timestep_spacing: TimestepSpacing
    eta: float


def sample(
    model: FaceModel,
    noises: Tensor,
    names: Sequence[str],
    setting: Setting,
    *,
    seed: int,
    batch: int,
    precision: Precision = "fp32",
    tick: Callable[[int], None] = lambda images: None,
) -> Tensor:
    """Sample faces float32 (N, 3, S, S), roughly in [-1, 1], on the CPU.

    Args:
        model: The face model.
        noises: Initial noises float32 (N, 3, S, S).
        names: N names of the streams of fresh noise, which are used if eta is not 0.
        setting: Settings of DDIM.
        seed: Seed of the streams of fresh noise.
        batch: Largest number of images at a time; it changes results by rounding errors only.
        precision: Precision of the network.
        tick: Called with the number of finished images.
    """
    batches = even_slices(len(noises), batch, model.device)
    faces = []
    for sampled in map_batches(
        lambda rows: _batch(model, noises[rows], names[rows], setting, seed, precision),
        batches,
        model.device,
    ):
        faces.append(sampled)
        tick(len(sampled))
    return torch.cat(faces)


@torch.inference_mode()
def _batch(
    model: FaceModel,
    noises: Tensor,
    names: Sequence[str],
    setting: Setting,
    seed: int,
    precision: Precision,
) -> Tensor:
    streams = [rng.torch_rng(seed, "fresh noise", name) for name in names]

    def fresh(step: int) -> Tensor:
        # On the CPU with a stream for each image: the same for every batch size and device.
        return on_device(torch.stack([torch.randn(noises.shape[1:], generator=s) for s in streams]))

    def on_device(images: Tensor) -> Tensor:
        return images.to(model.device)

    def network(images: Tensor, times: Tensor) -> Tensor:
        with autocast(model.device, precision):
            output: Tensor = model.network(images, times)
        return output.to(images.dtype)

    states = loop.sample(
        network,
        model.schedule,
        model.prediction,
        on_device(noises),
        sampler="ddim",
        steps=setting.steps,
        spacing=setting.timestep_spacing,
        eta=setting.eta,
        noise=fresh,
        use_clipped_model_output=False,
    )
    return loop.final(states).cpu().contiguous()


def stretched(faces: Tensor) -> Tensor:
    """Scale each of the faces (N, 3, S, S) from its minimum to its maximum, as the course does.

    Returns:
        uint8 (N, S, S, 3).
    """
    flat = faces.flatten(1)
    low, high = (end[:, None, None, None] for end in (flat.amin(1), flat.amax(1)))
    scaled = (faces - low) / (high - low).clamp(min=1e-5)
    return (scaled * 255).round().to(torch.uint8).permute(0, 2, 3, 1)

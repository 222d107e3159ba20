"""Faces drawn with DDIM: a face depends on its noise and the setting, not on its neighbours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hw2 import rng
from hw2.config.choices import TimestepSpacing
from hw2.diffusion.samplers import loop
from hw2.faces.model import FaceModel
from hw2.training.parallel import even_slices, map_batches


@dataclass(frozen=True)
class Setting:
    """How DDIM goes: network calls, which times, and the share of fresh noise."""

    steps: int
    timestep_spacing: TimestepSpacing
    eta: float


def draw(
    model: FaceModel,
    noises: Tensor,
    names: Sequence[str],
    setting: Setting,
    *,
    seed: int,
    batch: int,
    tick: Callable[[int], None] = lambda images: None,
) -> Tensor:
    """Faces float32 (N, 3, S, S), about in [-1, 1], on the CPU.

    Args:
        noises: float32 (N, 3, S, S).
        names: each names the stream of fresh noise of its image, where eta is not 0.
        batch: images at a time at most; it changes results by rounding at most.
        tick: called with the number of images finished.
    """
    batches = even_slices(len(noises), batch, model.device)
    faces = []
    for drawn in map_batches(
        lambda part: _batch(model, noises[part], names[part], setting, seed), batches, model.device
    ):
        faces.append(drawn)
        tick(len(drawn))
    return torch.cat(faces)


@torch.inference_mode()
def _batch(
    model: FaceModel, noises: Tensor, names: Sequence[str], setting: Setting, seed: int
) -> Tensor:
    streams = [rng.torch_rng(seed, "fresh noise", name) for name in names]

    def fresh(step: int) -> Tensor:
        # On the CPU, one stream an image: the same numbers for every batch size and device.
        return there(torch.stack([torch.randn(noises.shape[1:], generator=s) for s in streams]))

    def there(images: Tensor) -> Tensor:
        return images.to(model.device)

    states = loop.sample(
        model.network,
        model.schedule,
        model.prediction,
        there(noises),
        sampler="ddim",
        steps=setting.steps,
        spacing=setting.timestep_spacing,
        eta=setting.eta,
        noise=fresh,
        use_clipped_model_output=False,
    )
    return loop.final(states).cpu().contiguous()


def normalised(faces: Tensor) -> Tensor:
    """Faces (N, 3, S, S) as the course saves them: each from its least to its largest value,
    uint8 (N, S, S, 3)."""
    flat = faces.flatten(1)
    low, high = (end[:, None, None, None] for end in (flat.amin(1), flat.amax(1)))
    scaled = (faces - low) / (high - low).clamp(min=1e-5)
    return (scaled * 255).round().to(torch.uint8).permute(0, 2, 3, 1)

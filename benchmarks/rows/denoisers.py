"""The digit model and its peers: networks, a plain training loop and plain sampling loops."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hw2 import rng
from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.diffusion import schedule
from hw2.digits.labels import NUM_LABELS
from hw2.models.context_unet import ContextUnet
from hw2.training.denoising import DenoisingDataset, train_denoiser
from hw2.training.resume import Resume
from rows.per_item import SEED, Batches, PerItem, digits, forever, written

CPU = torch.device("cpu")
COURSE_TIMESTEPS = 400
P_UNCOND = 0.1
ABAR = torch.cumprod(1 - torch.linspace(1e-4, 0.02, COURSE_TIMESTEPS), 0)
Predict = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Noisy images (N, 3, 28, 28), times (N,) and labels (N,) to the predicted noise."""


@dataclass(frozen=True)
class Data:
    """Digits in memory, packed, and as PNG files.

    Attributes:
        images: uint8 (N, 28, 28, 3).
        labels: int64 (N,), labels of the digit model.
        items: The same as files.
    """

    images: np.ndarray
    labels: Tensor
    items: PerItem

    def batches(self, size: int) -> Batches:
        """Batches that are read item by item."""
        return forever(self.items, size)


@contextmanager
def data(count: int) -> Iterator[Data]:
    """Digits of a domain in both forms."""
    images, labels = digits("mnistm", count)
    with TemporaryDirectory() as folder:
        items = PerItem(written(Path(folder), images), labels.tolist())
        yield Data(images, torch.from_numpy(labels), items)


def ours(ddpm: params.Ddpm, data: Data, steps: int) -> tuple[nn.Module, Callable[[], object]]:
    """Our network, and `steps` steps of its training as in the pipeline."""
    network = _initial(lambda: denoiser.build(ddpm.network, ddpm.diffusion.timesteps))
    if ddpm.train.channels_last:
        network.to(memory_format=torch.channels_last)
    levels = schedule.make(ddpm.diffusion.schedule, ddpm.diffusion.timesteps)
    dataset = DenoisingDataset(
        data.images, data.labels, NUM_LABELS, ddpm.train.p_uncond, levels, ddpm.diffusion.prediction
    )
    settings = ddpm.train.model_copy(
        update={"steps": steps, "save_every": steps, "warmup_steps": 1}
    )

    def run() -> object:
        with TemporaryDirectory() as folder:
            return train_denoiser(
                network, dataset, settings, seed=SEED, resume=Resume(folder, {}), device=CPU,
                name="ddpm",
            )  # fmt: skip

    return network, run


def student() -> ContextUnet:
    """The network of most reports of the homework."""
    return _initial(
        lambda: ContextUnet(num_labels=NUM_LABELS, n_feat=128, timesteps=COURSE_TIMESTEPS)
    )


def diffusers_unet(parameters: int) -> Any:
    """The UNet2DModel of two levels whose number of parameters is nearest."""
    from diffusers import UNet2DModel

    def make(width: int) -> Any:
        return UNet2DModel(
            sample_size=28, in_channels=3, out_channels=3, layers_per_block=1,
            block_out_channels=(width, 2 * width), down_block_types=("DownBlock2D",) * 2,
            up_block_types=("UpBlock2D",) * 2, norm_num_groups=8, num_class_embeds=NUM_LABELS + 1,
        )  # fmt: skip

    def distance(width: int) -> int:
        with torch.device("meta"):
            return abs(size(make(width)) - parameters)

    return _initial(lambda: make(min(range(8, 136, 8), key=distance)))


def lucidrains(sampling_steps: int) -> Any:
    """GaussianDiffusion of denoising-diffusion-pytorch with guidance, and its U-Net of width 64."""
    from denoising_diffusion_pytorch import classifier_free_guidance as theirs

    theirs.tqdm = lambda steps, **_: steps  # its bars would be between the lines of `run.py`

    def make() -> Any:
        network = theirs.Unet(
            dim=64, num_classes=NUM_LABELS, dim_mults=(1, 2, 4), cond_drop_prob=P_UNCOND
        )
        return theirs.GaussianDiffusion(
            network, image_size=28, timesteps=COURSE_TIMESTEPS, sampling_timesteps=sampling_steps
        )

    return _initial(make)


def noise_loss(predict: Predict) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of a network that predicts noise, with labels dropped at random."""
    stream = rng.torch_rng(SEED, "benchmark", "noise")

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        times = torch.randint(0, COURSE_TIMESTEPS, (len(images),), generator=stream)
        noise = torch.randn(images.shape, generator=stream)
        abar = ABAR[times].view(-1, 1, 1, 1)
        dropped = torch.rand(len(labels), generator=stream) < P_UNCOND
        output = predict(
            abar.sqrt() * images + (1 - abar).sqrt() * noise, times,
            labels.masked_fill(dropped, NUM_LABELS),
        )  # fmt: skip
        return F.mse_loss(output, noise)

    return loss


def plain_training(
    network: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    batches: Batches,
    steps: int,
    lr: float = 1e-4,
) -> Callable[[], object]:
    """`steps` further steps with each call, as in a first script: Adam in fp32."""
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)

    def run() -> None:
        for _ in range(steps):
            value = loss(*next(batches))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            value.item()

    return run


def ready(network: nn.Module, ddpm: params.Ddpm) -> Denoiser:
    """Our network, ready to sample."""
    network.to(memory_format=torch.channels_last).eval().requires_grad_(False)
    levels = schedule.make(ddpm.diffusion.schedule, ddpm.diffusion.timesteps)
    return Denoiser(network, levels, ddpm.diffusion.prediction, ddpm.domains, ddpm.train.precision)


@torch.no_grad()
def ancestral(predict: Predict, labels: Tensor, scale: float, steps: int) -> Tensor:
    """Guided images of the usual loop (Ho et al., 2020), through `steps` evenly spaced times."""
    stream = rng.torch_rng(SEED, "benchmark", "samples")
    x = torch.randn(len(labels), 3, 28, 28, generator=stream)
    both = torch.cat([labels, torch.full_like(labels, NUM_LABELS)])
    times = torch.linspace(COURSE_TIMESTEPS - 1, -1, steps + 1).round().int().tolist()
    for t, s in pairwise(times):
        abar, before = ABAR[t], ABAR[s] if s >= 0 else torch.tensor(1.0)
        output = predict(torch.cat([x, x]), torch.full_like(both, t), both)
        conditional, unconditional = output.chunk(2)
        noise = unconditional + scale * (conditional - unconditional)
        beta = 1 - abar / before
        x = (x - beta / (1 - abar).sqrt() * noise) / (1 - beta).sqrt()
        if s >= 0:
            x += beta.sqrt() * torch.randn(x.shape, generator=stream)
    return x


@torch.no_grad()
def diffusers_loop(unet: Any, labels: Tensor, scale: float, steps: int) -> Tensor:
    """Guided images by diffusers' DPM-Solver++, in the loop of its documentation."""
    from diffusers import DPMSolverMultistepScheduler

    scheduler: Any = DPMSolverMultistepScheduler(COURSE_TIMESTEPS)
    scheduler.set_timesteps(steps)
    x = torch.randn(len(labels), 3, 28, 28, generator=rng.torch_rng(SEED, "benchmark", "samples"))
    both = torch.cat([labels, torch.full_like(labels, NUM_LABELS)])
    for t in scheduler.timesteps:
        conditional, unconditional = unet(torch.cat([x, x]), t, class_labels=both).sample.chunk(2)
        noise = unconditional + scale * (conditional - unconditional)
        x = scheduler.step(noise, t, x).prev_sample
    return x


def size(network: nn.Module) -> int:
    """The number of parameters."""
    return sum(weight.numel() for weight in network.parameters())


def millions(networks: Sequence[tuple[str, nn.Module]]) -> str:
    """The numbers of parameters in words."""
    parts = [f"{name} {size(network) / 1e6:.2f}" for name, network in networks]
    return f"Millions of parameters: {', '.join(parts)}."


def inputs(count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Arguments of a network, to count its operations."""
    zeros = torch.zeros(count, dtype=torch.int64)
    return torch.zeros(count, 3, 28, 28), zeros, zeros


def _initial(make: Callable[[], Any]) -> Any:
    with rng.seeded_init(SEED, "benchmark"):
        return make()

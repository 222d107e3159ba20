"""A conditional DDPM: network, schedule, prediction and domains, and its checkpoint file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hw2.config import params
from hw2.config.choices import Precision
from hw2.diffusion import schedule
from hw2.diffusion.schedule import Prediction, Schedule
from hw2.digits.labels import NUM_LABELS
from hw2.io import checkpoints
from hw2.models.context_unet import ContextUnet
from hw2.models.unet import UNet


@dataclass(frozen=True)
class Denoiser:
    """A network and what is needed to sample from it.

    Attributes:
        network: predicts from (xt, t, labels).
        schedule: the noise schedule of the training.
        prediction: what the output of the network means.
        domains: the domains that it was trained on.
        precision: of the network's evaluation.
    """

    network: nn.Module
    schedule: Schedule
    prediction: Prediction
    domains: tuple[str, ...]
    precision: Precision


def build(network: params.Network, timesteps: int) -> UNet | ContextUnet:
    """An untrained network of the configured kind, for 20 labels and the null label."""
    if network.kind == "context_unet":
        return ContextUnet(num_labels=NUM_LABELS, n_feat=network.n_feat, timesteps=timesteps)
    return UNet(
        num_labels=NUM_LABELS,
        base_channels=network.base_channels,
        channel_mult=network.channel_mult,
        num_res_blocks=network.num_res_blocks,
        patch_size=network.patch_size,
        timesteps=timesteps,
    )


def save(path: Path, weights: dict[str, Tensor], ddpm: params.Ddpm) -> None:
    """Write a checkpoint that describes itself: weights, and the model's parameters as metadata."""
    record = ddpm.model_dump(mode="json", include={"domains", "network", "diffusion"})
    record["precision"] = ddpm.train.precision
    checkpoints.save(path, "ddpm", record, weights)


def load(path: Path, device: torch.device) -> Denoiser:
    """Read a checkpoint, ready to sample on `device`.

    Raises:
        UserError: if the file is missing, damaged, or not a checkpoint of `ddpm_train`.
    """
    model = checkpoints.load(path, "ddpm", _build, stage="ddpm_train")
    model.network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    return model


def _build(record: dict[str, Any], weights: dict[str, Tensor]) -> Denoiser:
    diffusion = params.Diffusion.model_validate(record["diffusion"])
    network = build(params.Network.model_validate(record["network"]), diffusion.timesteps)
    network.load_state_dict(weights)
    return Denoiser(
        network,
        schedule.make(diffusion.schedule, diffusion.timesteps),
        diffusion.prediction,
        tuple(record["domains"]),
        record["precision"],
    )

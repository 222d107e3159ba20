"""A conditional DDPM: network, schedule, prediction and domains, and its checkpoint file."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from hw2.config import params
from hw2.diffusion import schedule
from hw2.diffusion.schedule import Prediction, Schedule
from hw2.digits.labels import NUM_LABELS
from hw2.io.atomic import atomic_path
from hw2.models.context_unet import ContextUnet
from hw2.models.unet import UNet
from hw2.runtime.errors import UserError


@dataclass(frozen=True)
class Denoiser:
    """A network and all that is needed to sample from it."""

    network: nn.Module
    schedule: Schedule
    prediction: Prediction
    domains: tuple[str, ...]
    precision: str


def build(network: params.Network, timesteps: int) -> UNet | ContextUnet:
    """An untrained network of the configured kind, for 20 labels and the null label."""
    if network.kind == "context_unet":
        return ContextUnet(num_labels=NUM_LABELS, n_feat=network.n_feat, timesteps=timesteps)
    return UNet(
        num_labels=NUM_LABELS,
        base=network.base_channels,
        mult=network.channel_mult,
        blocks=network.num_res_blocks,
        patch=network.patch_size,
        timesteps=timesteps,
    )


def save(path: Path, weights: dict[str, Tensor], ddpm: params.Ddpm) -> None:
    """Write a checkpoint that describes itself: weights, and the model's parameters as metadata."""
    described = ddpm.model_dump(mode="json", include={"domains", "network", "diffusion"})
    described["precision"] = ddpm.train.precision
    tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, {"ddpm": json.dumps(described, sort_keys=True)})


def load(path: Path, device: torch.device) -> Denoiser:
    """Read a checkpoint, ready to sample on `device`.

    Raises:
        UserError: if the file is missing, damaged, or no checkpoint of ours.
    """
    try:
        read = _read(path)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).split("\n")[0]  # PyTorch lists every tensor that does not fit
        raise UserError(
            f"{path}: no checkpoint of ddpm_train ({reason}); run `dvc repro ddpm_train`"
        ) from error
    read.network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    return read


def _read(path: Path) -> Denoiser:
    with safe_open(path, "pt") as file:
        described = json.loads((file.metadata() or {})["ddpm"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    diffusion = params.Diffusion.model_validate(described["diffusion"])
    network = build(params.Network.model_validate(described["network"]), diffusion.timesteps)
    network.load_state_dict(weights)
    return Denoiser(
        network,
        schedule.make(diffusion.schedule, diffusion.timesteps),
        diffusion.prediction,
        tuple(described["domains"]),
        described["precision"],
    )

"""Training of the face model on synthetic faces."""

from typing import Any

import torch
from torch import Tensor

from hw2 import rng
from hw2.config import params
from hw2.diffusion import schedule
from hw2.diffusion.schedule import Schedule
from hw2.faces import synthetic
from hw2.faces.model import Blueprint
from hw2.training.denoising import DenoisingDataset, train_denoiser
from hw2.training.resume import Resume

_HEAD_CHANNELS = 32  # of an attention head


def blueprint(faces: params.Faces) -> Blueprint:
    """The architecture of the trained model, a `UNet2DModel`.

    Attention is at the coarsest level only. Norms are over one group, because the kernels for small
    groups are slower than the convolutions they follow.
    """
    network = faces.network
    levels = len(network.channel_mult)
    channels = [network.base_channels * factor for factor in network.channel_mult]
    config = {
        "sample_size": faces.image_size,
        "in_channels": 3,
        "out_channels": 3,
        "block_out_channels": channels,
        "layers_per_block": network.num_res_blocks,
        "down_block_types": ["DownBlock2D"] * levels,
        "up_block_types": ["UpBlock2D"] * levels,
        "attention_head_dim": min(_HEAD_CHANNELS, channels[-1]),
        "norm_num_groups": 1,
        "resnet_time_scale_shift": "scale_shift",
    }
    return Blueprint("diffusers", faces.diffusion.prediction, faces.image_size, config)


def levels(faces: params.Faces) -> Schedule:
    """The noise schedule of the trained model."""
    return schedule.make(faces.diffusion.schedule, faces.diffusion.timesteps)


def identity(faces: params.Faces) -> dict[str, Any]:
    """Everything that changes the result of the training, except code; `save_every` does not."""
    return {"faces": faces.model_dump(mode="json", exclude={"ddim": True, "train": {"save_every"}})}


def train_faces(
    faces: params.Faces, resume: Resume, device: torch.device
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Train on `faces.images` synthetic faces.

    Returns:
        The averaged weights of the blueprint's network, and the history (rows of `step`, `loss`,
        `lr`).
    """
    with rng.seeded_init(faces.seed, "initial weights"):
        network = blueprint(faces).build()
    images = synthetic.draw(faces.images, faces.image_size, faces.seed)
    dataset = DenoisingDataset(
        images,
        torch.zeros(len(images), dtype=torch.int64),
        null_label=0,
        p_uncond=1.0,
        schedule=levels(faces),
        prediction=faces.diffusion.prediction,
    )
    layout = torch.channels_last if faces.train.channels_last else torch.contiguous_format
    return train_denoiser(
        network.to(device).to(memory_format=layout),
        dataset,
        faces.train,
        seed=faces.seed,
        resume=resume,
        device=device,
        name="faces",
    )

"""Training of the embedded face model on drawn faces."""

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


def blueprint(faces: params.Faces) -> Blueprint:
    """What is trained."""
    config = faces.network.model_dump(mode="json")
    return Blueprint("trained", faces.diffusion.prediction, faces.image_size, config)


def levels(faces: params.Faces) -> Schedule:
    """The noise levels that it is trained on."""
    return schedule.make(faces.diffusion.schedule, faces.diffusion.timesteps)


def identity(faces: params.Faces) -> dict[str, Any]:
    """The values that make another training when they change; how often it is saved does not."""
    return {"faces": faces.model_dump(mode="json", exclude={"ddim": True, "train": {"save_every"}})}


def fit(
    faces: params.Faces, resume: Resume, device: torch.device
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Train.

    Returns:
        The averaged weights of the blueprint's network, and the history (rows of `step`, `loss`,
        `lr`).
    """
    with rng.seeded_init(faces.seed, "initial weights"):
        network = blueprint(faces).build(levels(faces))
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

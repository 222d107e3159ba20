"""Train the small Stable Diffusion on captioned shapes and write it as a diffusers folder."""

from pathlib import Path

import torch

from hw2.config import params
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.stable_diffusion import train
from hw2.training.session import Session

COLUMNS = ("step", "loss", "lr")


def run(
    stable_diffusion: params.StableDiffusion,
    shapes: params.Shapes,
    *,
    clip_model: Path,
    stable_diffusion_model: Path,
    stable_diffusion_history: Path,
    checkpoints: Path,
    device: torch.device,
) -> None:
    """Write the model to `stable_diffusion_model` and the history to `stable_diffusion_history`.

    `StableDiffusionPipeline.from_pretrained` reads the folder once `hw2.models.patch_codec` is
    imported. If `stable_diffusion.weights` names another model, both are empty.
    """
    if stable_diffusion.weights != "trained":
        with atomic_dir(stable_diffusion_model):
            pass
        files.write_table(stable_diffusion_history, [], COLUMNS)
        return
    with Session(checkpoints) as session:
        resume = session.resume(train.identity(stable_diffusion, shapes, clip_model))
        pipeline, history = train.train_stable_diffusion(
            stable_diffusion, shapes, clip_model, resume, device
        )
        with atomic_dir(stable_diffusion_model) as temporary:
            pipeline.save_pretrained(temporary)
        files.write_table(stable_diffusion_history, history, COLUMNS)

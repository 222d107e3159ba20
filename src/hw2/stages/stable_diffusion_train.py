"""Train the small Stable Diffusion on captioned shapes and write it as a diffusers folder."""

from pathlib import Path

import torch

from hw2.config import params
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.stable_diffusion import autoencoder, train
from hw2.training import processes
from hw2.training.session import Session

COLUMNS = ("network", "step", "loss", "lr")


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

    `StableDiffusionPipeline.from_pretrained` reads the folder. If `stable_diffusion.weights` names
    another model, both are empty. Column `network` of the history is `autoencoder` or `unet`.
    """
    if stable_diffusion.weights != "trained":
        processes.end_all_but_first()
        with atomic_dir(stable_diffusion_model):
            pass
        files.write_table(stable_diffusion_history, [], COLUMNS)
        return
    with Session(checkpoints) as session:
        autoencoder_resume = session.resume(
            autoencoder.identity(stable_diffusion.autoencoder, shapes, stable_diffusion.seed),
            "autoencoder",
        )
        resume = session.resume(train.identity(stable_diffusion, shapes, clip_model), "unet")
        pipeline, autoencoder_history, history = train.train_stable_diffusion(
            stable_diffusion, shapes, clip_model, autoencoder_resume, resume, device
        )
        processes.end_all_but_first()
        with atomic_dir(stable_diffusion_model) as temporary:
            pipeline.save_pretrained(temporary)
        rows = [{"network": "autoencoder", **row} for row in autoencoder_history]
        rows += [{"network": "unet", **row} for row in history]
        files.write_table(stable_diffusion_history, rows, COLUMNS)

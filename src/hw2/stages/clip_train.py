"""Train the small CLIP on synthetic captioned images and write it in open_clip's format."""

from pathlib import Path

import torch

from hw2.clip import open_clip_folder, train
from hw2.config import params
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.training.session import Session

COLUMNS = ("step", "loss", "lr", "scale")


def run(
    clip: params.Clip,
    shapes: params.Shapes,
    *,
    clip_model: Path,
    clip_history: Path,
    checkpoints: Path,
    device: torch.device,
) -> None:
    """Write the model to the folder `clip_model` and the training history to `clip_history`.

    `open_clip.create_model("local-dir:...")` reads the folder. If `clip.run` is false, both are
    empty.
    """
    if not clip.run:
        with atomic_dir(clip_model):
            pass
        files.write_table(clip_history, [], COLUMNS)
        return
    design = open_clip_folder.design(clip.network, shapes)
    with Session(checkpoints) as session:
        resume = session.resume(train.identity(clip, shapes, design))
        network, history = train.train_clip(clip, shapes, design, resume, device)
        with atomic_dir(clip_model) as temporary:
            open_clip_folder.save(temporary, network, design)
        files.write_table(clip_history, history, COLUMNS)

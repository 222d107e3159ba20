"""Train the conditional DDPM on the train part."""

from pathlib import Path

import torch

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.train import fit
from hw2.io import files
from hw2.runtime import run_lock


def run(
    ddpm: params.Ddpm,
    *,
    packed: Path,
    model: Path,
    history: Path,
    checkpoints: Path,
    device: torch.device,
) -> None:
    """Write the averaged weights to `model` and the loss by step to `history`."""
    with run_lock.hold(checkpoints):
        weights, rows, resume = fit(ddpm, packed, checkpoints, device)
        files.write_table(history, rows)
        denoiser.save(model, weights, ddpm)
        resume.finish()

"""Train the conditional DDPM on the train part."""

from pathlib import Path

import torch

from hw2 import files, params
from hw2.generation import denoiser
from hw2.generation.fit import fit
from hw2.training import runlock


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
    with runlock.hold(checkpoints):
        weights, rows, resume = fit(ddpm, packed, checkpoints, device)
        files.write_table(history, rows)
        denoiser.save(model, weights, ddpm)
        resume.finish()

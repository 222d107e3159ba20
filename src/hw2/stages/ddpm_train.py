"""Train the conditional DDPM on the train split."""

from pathlib import Path

import torch

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.train import identity, train_ddpm
from hw2.io import files
from hw2.training import processes
from hw2.training.session import Session


def run(
    ddpm: params.Ddpm,
    *,
    digits_arrays: Path,
    ddpm_model: Path,
    ddpm_history: Path,
    checkpoints: Path,
    device: torch.device,
) -> None:
    """Write the averaged weights to `ddpm_model` and the loss by step to `ddpm_history`."""
    with Session(checkpoints) as session:
        resume = session.resume(identity(ddpm, digits_arrays))
        weights, rows = train_ddpm(ddpm, digits_arrays, resume, device)
        processes.end_all_but_first()
        files.write_table(ddpm_history, rows)
        denoiser.save(ddpm_model, weights, ddpm)

"""Train every row of the adaptation table: pair by pair, method by method, seed by seed."""

import logging
import shutil
from pathlib import Path
from typing import Any

import torch

from hw2.config import params
from hw2.dann import classifier, train
from hw2.dann.train import Training
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.training.resume import Resume
from hw2.training.session import Session

MODEL, HISTORY = "model.safetensors", "history.csv"
NUMBERS = ("loss", "lr", "label", "domain", "taught", "strength", "kept")
COLUMNS = ("pair", "method", "seed", "step", *NUMBERS)
log = logging.getLogger(__name__)


def run(
    dann: params.Dann,
    *,
    digits_arrays: Path,
    dann_models: Path,
    dann_history: Path,
    checkpoints: Path,
    device: torch.device,
) -> None:
    """Write `dann_models`/<source>-<target>/<method>-<seed>.safetensors and all numbers to
    `dann_history`.

    A training that is done stays done when the stage is killed in a later one.
    """
    with Session(checkpoints):
        every = train.every(dann)
        done = [_done(dann, training, digits_arrays, checkpoints, device) for training in every]
        rows: list[dict[str, Any]] = []
        with atomic_dir(dann_models) as folder:
            for training, finished in zip(every, done, strict=True):
                path = folder / f"{training.slug}.safetensors"
                path.parent.mkdir(exist_ok=True)
                shutil.copyfile(finished / MODEL, path)
                rows += files.read_table(finished / HISTORY)
        files.write_table(dann_history, rows, COLUMNS)
        for finished in done:
            shutil.rmtree(finished)


def _done(
    dann: params.Dann, training: Training, packed: Path, checkpoints: Path, device: torch.device
) -> Path:
    """Train unless that was done; returns the folder of the model and its history."""
    home = checkpoints / training.slug
    with Resume(home, train.identity(dann, training, packed)) as resume:
        finished = home / f"{resume.folder.name}-done"
        if finished.exists():
            log.info("%s %s %d: done before", training.pair.name, training.method, training.seed)
            return finished
        weights, history = train.fit(dann, training, packed, resume, device)
        with atomic_dir(finished) as folder:
            classifier.save(folder / MODEL, weights, dann, training.pair, training.method)
            files.write_table(folder / HISTORY, [_row(training, row) for row in history])
    return finished


def _row(training: Training, row: dict[str, float]) -> dict[str, Any]:
    """A row of the common table: what a method does not have is empty."""
    named = {"pair": training.pair.name, "method": training.method, "seed": training.seed}
    return named | {"step": row["step"]} | {name: row.get(name) for name in NUMBERS}

"""Train every domain adaptation method: pair by pair, method by method, seed by seed."""

import shutil
from pathlib import Path
from typing import Any

import torch

from hw2.config import params
from hw2.dann import cache, train
from hw2.dann.methods.registry import METHODS
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.training.session import Session

COLUMNS = ("pair", "method", "seed", "step", "loss", "lr", "label", "domain", "kept")
"""Columns of the history that are always there; a method may add more."""


def run(
    dann: params.Dann,
    *,
    digits_arrays: Path,
    dann_models: Path,
    dann_history: Path,
    dann_trainings: Path,
    device: torch.device,
) -> None:
    """Write the models to `dann_models` and the history of all trainings to `dann_history`.

    The models are `<source>-<target>/<method>-<seed>.safetensors`. Finished trainings stay in
    `dann_trainings` as long as params.yaml lists them, so that a new method or a change of another
    method's hyperparameters does not retrain them.
    """
    with Session(dann_trainings):
        trainings = train.every(dann)
        finished = [
            cache.finished(
                dann, training, METHODS[training.method], digits_arrays, dann_trainings, device
            )
            for training in trainings
        ]
        rows: list[dict[str, Any]] = []
        with atomic_dir(dann_models) as folder:
            for training, source in zip(trainings, finished, strict=True):
                path = folder / f"{training.slug}.safetensors"
                path.parent.mkdir(exist_ok=True)
                shutil.copyfile(source / cache.CHECKPOINT, path)
                rows += files.read_table(source / cache.HISTORY)
        columns = dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)])
        complete = [{name: row.get(name) for name in columns} for row in rows]
        files.write_table(dann_history, complete, tuple(columns))
        cache.prune(dann_trainings, finished)

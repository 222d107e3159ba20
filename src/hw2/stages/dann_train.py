"""Train every domain adaptation method on every pair of domains with every seed, side by side."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import torch

from hw2.config import params
from hw2.dann.cache import CHECKPOINT, HISTORY, Cache
from hw2.dann.methods.registry import METHODS
from hw2.dann.train import Training
from hw2.dann.trainings import every
from hw2.digits.labels import NUM_DIGITS
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.models import architecture
from hw2.models.feature_extractor import Extractor, domain_head, label_head
from hw2.training import processes
from hw2.training.session import Session
from hw2.training.side_by_side import side_by_side

COLUMNS = ("trained_on", "method", "seed", "step", "loss", "lr", "label", "domain", "kept")
"""Columns of the history that are always there; a method may add more."""


def run(
    dann: params.Dann,
    *,
    digits_arrays: Path,
    dann_models: Path,
    dann_history: Path,
    dann_network: Path,
    dann_trainings: Path,
    device: torch.device,
) -> None:
    """Write the models to `dann_models` and the history of all trainings to `dann_history`.

    `dann_network` is the record of the layers of DANN's three parts.
    The models are `<source>-<target>/<method>-<seed>.safetensors`, or `<domain>/...` for a method
    that reads a single domain. Finished trainings stay in `dann_trainings` as long as params.yaml
    lists them, so that a new method or a change of another method's hyperparameters does not
    retrain them.
    """
    trainings = every(dann)
    cache = Cache(dann, digits_arrays, dann_trainings)
    with Session(dann_trainings):
        finished = _finished(trainings, cache, device)
        processes.end_all_but_first()
        rows: list[dict[str, Any]] = []
        with atomic_dir(dann_models) as folder:
            for training, source in zip(trainings, finished, strict=True):
                path = folder / f"{training.slug}.safetensors"
                path.parent.mkdir(exist_ok=True)
                shutil.copyfile(source / CHECKPOINT, path)
                rows += files.read_table(source / HISTORY)
        columns = dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)])
        complete = [{name: row.get(name) for name in columns} for row in rows]
        files.write_table(dann_history, complete, tuple(columns))
        files.write_json(dann_network, _architecture(dann))
        cache.prune(finished)


def _finished(trainings: list[Training], cache: Cache, device: torch.device) -> list[Path]:
    """The folders of all trainings, of which those that are missing are trained side by side."""
    missing = sum(not cache.holds(t, METHODS[t.method]) for t in trainings)
    return side_by_side(
        [partial(cache.finished, t, METHODS[t.method], device) for t in trainings],
        device,
        steps=missing * cache.dann.train.steps,
        desc=f"{missing} trainings",
    )


def _architecture(dann: params.Dann) -> dict[str, list[architecture.Layer]]:
    """The layers of the feature extractor, of the label head and of DANN's domain classifier."""
    extractor = Extractor(dann.network.base_channels)
    image, features = torch.zeros(1, 3, 28, 28), torch.zeros(1, extractor.features)
    hidden = dann.hyperparameters.dann.hidden_units
    return {
        "features": architecture.layers(extractor, image, 0),
        "digit": architecture.layers(label_head(extractor.features, NUM_DIGITS), features),
        "domain": architecture.layers(domain_head(extractor.features, hidden), features),
    }

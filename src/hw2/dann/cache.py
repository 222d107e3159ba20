"""Finished trainings, kept so that a change retrains only the methods that it affects.

<folder>/<pair>/<method>-<seed>/<key>-done/    the checkpoint and the history of a finished training
<folder>/<pair>/<method>-<seed>/<key>/         resume files of an unfinished one

The key is a hash of the training's identity and of the code that it can run: the training loop and
the method's own file with their imports. It does not cover the registry or the other methods.
"""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from hw2.config import params
from hw2.dann import classifier, train
from hw2.dann.method import Method
from hw2.dann.train import Training
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.runtime.fingerprint import fingerprint_of_modules
from hw2.training.resume import Resume

ROOT = Path(__file__).resolve().parents[3]
CHECKPOINT, HISTORY = "model.safetensors", "history.csv"
DONE = "-done"
log = logging.getLogger(__name__)


def finished(
    dann: params.Dann,
    training: Training,
    method: type[Method],
    digits_arrays: Path,
    folder: Path,
    device: torch.device,
) -> Path:
    """The folder of a finished training below `folder`; trains unless the folder exists."""
    code = code_fingerprint(method)
    identity = train.identity(dann, training, method, digits_arrays) | {"code": code}
    with Resume(folder / training.slug, identity) as resume:
        return _finished(dann, training, method, digits_arrays, resume, device)


def _finished(
    dann: params.Dann,
    training: Training,
    method: type[Method],
    digits_arrays: Path,
    resume: Resume,
    device: torch.device,
) -> Path:
    done = resume.folder.with_name(resume.folder.name + DONE)
    if done.exists():
        log.info("%s %s %d: already trained", training.pair.name, training.method, training.seed)
        return done
    weights, history = train.train_method(dann, training, method, digits_arrays, resume, device)
    extractor = method.recipe(dann.train, getattr(dann.hyperparameters, training.method)).extractor
    with atomic_dir(done) as temporary:
        classifier.save(
            temporary / CHECKPOINT, weights, dann.network, extractor, training.pair, training.method
        )
        files.write_table(temporary / HISTORY, [_row(training, numbers) for numbers in history])
    return done


def prune(folder: Path, keep: Iterable[Path]) -> None:
    """Remove every training below `folder` that is not among the folders `keep`."""
    kept = set(keep)
    for path in folder.glob("*/*/*"):
        if path.is_dir() and path not in kept:
            shutil.rmtree(path)
    for depth in ("*/*", "*"):
        for path in folder.glob(depth):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def code_fingerprint(method: type[Method], root: Path = ROOT) -> str:
    """Hash of the code that trains `method`: the training loop, the method, and their imports."""
    return fingerprint_of_modules((train.__name__, method.__module__), root)


def _row(training: Training, numbers: dict[str, float]) -> dict[str, Any]:
    return {
        "pair": training.pair.name,
        "method": training.method,
        "seed": training.seed,
        **numbers,
    }

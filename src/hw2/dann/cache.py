"""Finished trainings, kept so that a change retrains only the methods that it affects.

<folder>/<domains>/<method>-<seed>/<key>-done/    checkpoint and history of a finished training
<folder>/<domains>/<method>-<seed>/<key>/         resume files of an unfinished one

The key is a hash of the training's identity and of the code that it can run: the training loop and
the method's own file with their imports. It does not cover the registry or the other methods.
"""

import logging
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hw2.config import params
from hw2.dann import classifier, train
from hw2.dann.method import Method
from hw2.dann.train import Training
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.runtime import ranks
from hw2.runtime.fingerprint import fingerprint_of_modules
from hw2.training import processes
from hw2.training.resume import Resume

ROOT = Path(__file__).resolve().parents[3]
CHECKPOINT, HISTORY = "model.safetensors", "history.csv"
DONE = "-done"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cache:
    """The trainings below a folder.

    Attributes:
        dann: Section `dann`.
        digits_arrays: The packed digits.
        folder: Where trainings are kept; the caller is its only writer.
    """

    dann: params.Dann
    digits_arrays: Path
    folder: Path

    def holds(self, training: Training, method: type[Method]) -> bool:
        """Whether the training is finished."""
        return _done(self._resume(training, method)).exists()

    def finished(self, training: Training, method: type[Method], device: torch.device) -> Path:
        """The folder of the finished training; trains unless there is one."""
        with self._resume(training, method) as resume:
            done = _done(resume)
            if processes.from_first(done.exists):
                log.info("%s: already trained", training.name)
                return done
            weights, history = train.train_method(
                self.dann, training, method, self.digits_arrays, resume, device
            )
            if ranks.is_first():
                self._write(done, training, method, weights, history)
        return done

    def _write(
        self,
        done: Path,
        training: Training,
        method: type[Method],
        weights: dict[str, Tensor],
        history: list[dict[str, float]],
    ) -> None:
        with atomic_dir(done) as temporary:
            classifier.save(
                temporary / CHECKPOINT,
                weights,
                self.dann.network,
                train.recipe(self.dann, training, method).extractor,
                training.pair,
                training.method,
            )
            rows = [_row(training, numbers) for numbers in history]
            files.write_table(temporary / HISTORY, rows)

    def prune(self, keep: Iterable[Path]) -> None:
        """Remove every training that is not among the folders `keep`."""
        kept = set(keep)
        for path in self.folder.glob("*/*/*"):
            if path.is_dir() and path not in kept:
                shutil.rmtree(path)
        for depth in ("*/*", "*"):
            for path in self.folder.glob(depth):
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()

    def _resume(self, training: Training, method: type[Method]) -> Resume:
        identity = train.identity(self.dann, training, self.digits_arrays)
        identity["code"] = code_fingerprint(method)
        return Resume(self.folder / training.slug, identity)


def code_fingerprint(method: type[Method], root: Path = ROOT) -> str:
    """Hash of the code that trains `method`: the training loop, the method, and their imports."""
    return fingerprint_of_modules((train.__name__, method.__module__), root)


def _done(resume: Resume) -> Path:
    return resume.folder.with_name(resume.folder.name + DONE)


def _row(training: Training, numbers: dict[str, float]) -> dict[str, Any]:
    return {
        "trained_on": training.pair.name,
        "method": training.method,
        "seed": training.seed,
        **numbers,
    }

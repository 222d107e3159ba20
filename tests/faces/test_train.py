"""Training of the face model gives the same model after an interruption, and the loss falls."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hw2.config import params
from hw2.faces.train import identity, train_faces
from hw2.runtime.errors import Interrupted
from hw2.training.batch_sampler import BatchSampler
from hw2.training.resume import Resume

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


def changed(faces: params.Faces, **train: Any) -> params.Faces:
    return faces.model_copy(update={"train": faces.train.model_copy(update=train)})


def train(faces: params.Faces, folder: Path) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    return train_faces(faces, Resume(folder, identity(faces)), CPU)


def test_an_interrupted_and_resumed_training_gives_the_same_model(
    mini: params.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uninterrupted, rows = train(mini.faces, tmp_path / "uninterrupted")
    batch = BatchSampler.batch

    def stopped(self: BatchSampler, step: int, size: int) -> np.ndarray:
        if step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return batch(self, step, size)

    with monkeypatch.context() as patched:
        patched.setattr(BatchSampler, "batch", stopped)
        with pytest.raises(Interrupted):
            train(mini.faces, tmp_path / "stopped")
    resumed, rows_again = train(mini.faces, tmp_path / "stopped")
    assert rows == rows_again
    assert uninterrupted.keys() == resumed.keys()
    assert all(torch.equal(uninterrupted[name], resumed[name]) for name in uninterrupted)


def test_the_loss_falls(mini: params.Params, tmp_path: Path) -> None:
    faces = changed(mini.faces, steps=40, warmup=5)
    _, rows = train(faces, tmp_path)
    losses = [row["loss"] for row in rows]
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:4])

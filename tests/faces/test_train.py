"""Training of the face model: killed and resumed it is the uninterrupted one, and it learns."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hw2.config import params
from hw2.faces.train import fit
from hw2.runtime.errors import Interrupted
from hw2.training.batch_sampler import Order

CPU = torch.device("cpu")


def changed(faces: params.Faces, **train: Any) -> params.Faces:
    return faces.model_copy(update={"train": faces.train.model_copy(update=train)})


def test_interrupted_and_resumed_it_is_the_same(
    mini: params.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight, rows, _ = fit(mini.faces, tmp_path / "straight", CPU)
    batch = Order.batch

    def stopped(self: Order, step: int, size: int) -> np.ndarray:
        if step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return batch(self, step, size)

    with monkeypatch.context() as patched:
        patched.setattr(Order, "batch", stopped)
        with pytest.raises(Interrupted):
            fit(mini.faces, tmp_path / "stopped", CPU)
    resumed, rows_again, _ = fit(mini.faces, tmp_path / "stopped", CPU)
    assert rows == rows_again
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


def test_the_loss_falls(mini: params.Params, tmp_path: Path) -> None:
    faces = changed(mini.faces, steps=40, warmup=5)
    _, rows, _ = fit(faces, tmp_path, CPU)
    losses = [row["loss"] for row in rows]
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:4])

"""Interrupts a training at a step, as a signal does or as an error does."""

import os
import signal
from collections.abc import Callable

import numpy as np
import pytest

from hw2.training.batch_sampler import BatchSampler


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def crash() -> None:
    raise RuntimeError("crash")


def before_step(monkeypatch: pytest.MonkeyPatch, step: int, action: Callable[[], None]) -> None:
    """Do `action` when step `step` asks for its first batch."""
    batch = BatchSampler.batch

    def hooked(self: BatchSampler, now: int, size: int) -> np.ndarray:
        if now == step:
            action()
        return batch(self, now, size)

    monkeypatch.setattr(BatchSampler, "batch", hooked)

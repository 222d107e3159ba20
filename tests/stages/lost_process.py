"""Trains a stage in two processes, the second of which is killed in the middle, and again."""

import os
import signal
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from in_processes import Raised, in_processes
from running import run_stage

from hw2.config import params
from hw2.io import files
from hw2.runtime.errors import LostProcess
from hw2.training import processes

WITHIN = 1e-5  # processes add gradients in another order


def train_again_after_a_loss(
    stage: ModuleType, settings: params.Params, artifacts: SimpleNamespace, lost_at: int
) -> int:
    """Run the stage twice in two processes: first the second one is lost, then it resumes.

    Args:
        stage: A module of `hw2.stages` that trains.
        settings: All parameters.
        artifacts: All paths, from `artifacts_in`.
        lost_at: The step, counted over all trainings of the stage, after which it is lost.

    Returns:
        The steps of the second run.
    """
    folder = artifacts.checkpoints / "ends of processes"
    work = partial(_run, stage.__name__, settings, artifacts)
    first, second = in_processes(2, partial(work, lost_at), folder)
    assert second is None
    assert first.kind is LostProcess
    steps, second = in_processes(2, partial(work, None), folder)
    assert second == Raised(SystemExit, "0")
    assert isinstance(steps, int), steps
    return steps


def _run(
    stage: str, settings: params.Params, artifacts: SimpleNamespace, lost_at: int | None, rank: int
) -> int:
    """Run the stage as one of two processes; returns the number of its training steps."""
    steps = 0
    agreed = processes.agreed

    def after_a_step(signum: int | None) -> int | None:
        nonlocal steps
        steps += 1
        if rank == 1 and steps == lost_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return agreed(signum)

    processes.agreed = after_a_step  # this process ends with the stage
    run_stage(import_module(stage), settings, artifacts)
    return steps


def assert_same_curve(first: Path, second: Path) -> None:
    """Check that all numbers of two histories are the same within `WITHIN`, and all else is."""
    rows, expected = (files.read_table(path) for path in (first, second))
    assert expected
    assert len(rows) == len(expected)
    for row, other in zip(rows, expected, strict=True):
        assert _words(row) == _words(other)
        assert _numbers(row) == pytest.approx(_numbers(other), rel=0, abs=WITHIN)


def _numbers(row: dict[str, Any]) -> dict[str, float]:
    return {key: value for key, value in row.items() if isinstance(value, int | float)}


def _words(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not isinstance(value, int | float)}

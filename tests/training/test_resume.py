"""Resume files survive kills, full disks and damage, and never mix trainings."""

import errno
import logging
import os
import resource
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hw2.runtime.errors import UserError
from hw2.training.resume import Resume

IDENTITY = {"lr": 0.1, "data": "abc"}


def state(fill: float, size: int = 3000) -> dict[str, Any]:
    return {"model": {"w": torch.full((size,), fill)}, "lr": fill}


def in_child(work: Callable[[], None]) -> int:
    """Fork, do `work` there on one thread, return its process id at once."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            torch.set_num_threads(1)
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def names(resume: Resume) -> set[str]:
    return {path.name for path in resume.folder.glob("step-*.pt")}


def latest(folder: Path) -> tuple[int, dict[str, Any]]:
    newest = Resume(folder, IDENTITY).load_latest()
    assert newest is not None
    return newest


@pytest.mark.parametrize("attempt", range(4))
def test_row_01_a_kill_during_a_save_leaves_the_last_save_intact(
    tmp_path: Path, attempt: int
) -> None:
    def save_forever() -> None:
        resume = Resume(tmp_path, IDENTITY)
        for step in range(1, 100_000):
            resume.save(step, state(step, 500_000))

    pid = in_child(save_forever)
    while not list(tmp_path.glob("*/step-1.json")):
        time.sleep(0.001)
    time.sleep(0.05 + 0.017 * attempt)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    step, resumed = latest(tmp_path)
    assert step >= 1
    assert torch.equal(resumed["model"]["w"], torch.full((500_000,), float(step)))
    assert list(tmp_path.rglob(".tmp-*")) == []
    assert all(p.with_suffix(".json").exists() for p in tmp_path.rglob("*.pt"))


def test_optimizer_and_scheduler_resume_bit_for_bit(tmp_path: Path) -> None:
    def steps(model: torch.nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            (model(torch.ones(2, 4)) ** 2).sum().backward()
            optimizer.step()

    def fresh() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        model = torch.nn.Linear(4, 3)
        torch.nn.init.constant_(model.weight, 0.3)
        torch.nn.init.zeros_(model.bias)
        return model, torch.optim.AdamW(model.parameters(), lr=0.05)

    straight, optimizer = fresh()
    steps(straight, optimizer, 7)
    model, optimizer = fresh()
    steps(model, optimizer, 4)
    saved: dict[str, Any] = {
        "model": model.state_dict(),
        "opt": optimizer.state_dict(),
        "rng": torch.get_rng_state(),
    }
    Resume(tmp_path, IDENTITY).save(4, saved)
    model, optimizer = fresh()
    _, resumed = latest(tmp_path)
    model.load_state_dict(resumed["model"])
    optimizer.load_state_dict(resumed["opt"])
    steps(model, optimizer, 3)
    for a, b in zip(straight.parameters(), model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(resumed["rng"], saved["rng"])


def test_row_03_two_files_are_kept_and_old_ones_are_removed_after_the_new_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resume = Resume(tmp_path, IDENTITY)
    for step in (10, 20, 30):
        resume.save(step, state(step))
    assert names(resume) == {"step-20.pt", "step-30.pt"}

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"could not write .*step-40.pt: No space left") as caught:
        resume.save(40, state(40))
    assert "Training state on disk is unchanged" in str(caught.value)
    assert names(resume) == {"step-20.pt", "step-30.pt"}
    assert latest(tmp_path)[0] == 30


def test_row_13_a_full_disk_leaves_earlier_files_intact(tmp_path: Path) -> None:
    Resume(tmp_path, IDENTITY).save(1, state(1))

    def fill() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        with pytest.raises(UserError, match=r"step-2\.pt: File too large\. Training state"):
            Resume(tmp_path, IDENTITY).save(2, state(2, 100_000))

    _, status = os.waitpid(in_child(fill), 0)
    assert status == 0
    assert latest(tmp_path)[0] == 1
    assert list(tmp_path.rglob(".tmp-*")) == []


@pytest.mark.parametrize("damage", ["0", "0.3", "0.9", "0.999", "flip", "gone", "manifest"])
def test_row_16_21_22_a_damaged_file_falls_back_to_the_one_before(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    resume = Resume(tmp_path, IDENTITY)
    resume.save(150, state(150))
    resume.save(200, state(200))
    path = resume.folder / "step-200.pt"
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[5000] ^= 1
        path.write_bytes(data)
    elif damage == "gone":
        path.unlink()
    elif damage == "manifest":
        path.with_suffix(".json").write_text('{"format"')
    else:
        path.write_bytes(data[: int(len(data) * float(damage))])
    with caplog.at_level(logging.INFO):
        step, resumed = latest(tmp_path)
    assert step == 150
    assert resumed["lr"] == 150
    why = "unreadable" if damage in ("gone", "manifest") else "sha256"
    assert f"step 200 damaged ({why}), using step 150" in caplog.text
    resume.save(175, state(175))  # the damaged future does not push out the good past
    assert names(resume) == {"step-150.pt", "step-175.pt"}


def test_a_training_without_an_intact_file_starts_afresh(tmp_path: Path) -> None:
    resume = Resume(tmp_path, IDENTITY)
    assert resume.load_latest() is None
    resume.save(1, state(1))
    (resume.folder / "step-1.pt").write_bytes(b"<!DOCTYPE html>")
    assert resume.load_latest() is None


def test_row_24_other_parameters_start_afresh(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Resume(tmp_path, IDENTITY).save(5, state(5))
    with caplog.at_level(logging.INFO):
        assert Resume(tmp_path, IDENTITY | {"lr": 0.2}).load_latest() is None
    assert "1 training(s) with other parameters" in caplog.text
    assert Resume(tmp_path, dict(reversed(IDENTITY.items()))).load_latest() is not None


def test_row_20_unfinished_saves_are_removed_on_the_next_start(tmp_path: Path) -> None:
    resume = Resume(tmp_path, IDENTITY)
    resume.save(5, state(5))
    (resume.folder / "step-9.pt").write_bytes(b"no manifest")
    (resume.folder / ".tmp-step-9.pt-999999999-00000000.pt").touch()
    assert latest(tmp_path)[0] == 5
    assert names(resume) == {"step-5.pt"}
    assert list(tmp_path.rglob(".tmp-*")) == []


def test_a_value_that_cannot_be_loaded_is_refused_when_saving(tmp_path: Path) -> None:
    resume = Resume(tmp_path, IDENTITY)
    with pytest.raises(TypeError, match=r"state\.rng\.0: a ndarray cannot go into a resume file"):
        resume.save(1, {"rng": [np.zeros(3)]})
    assert names(resume) == set()


def test_finish_removes_this_training_only(tmp_path: Path) -> None:
    mine, other = Resume(tmp_path, IDENTITY), Resume(tmp_path, {"lr": 3})
    mine.save(1, state(1))
    other.save(1, state(1))
    mine.finish()
    assert not mine.folder.exists()
    assert names(other) == {"step-1.pt"}


def test_row_18_a_folder_that_is_removed_in_a_run_is_made_again(tmp_path: Path) -> None:
    resume = Resume(tmp_path / "checkpoints", IDENTITY)
    resume.save(1, state(1))
    shutil.rmtree(tmp_path / "checkpoints")
    resume.save(2, state(2))
    assert latest(tmp_path / "checkpoints")[0] == 2

"""Requests to stop are heard between steps; a save in progress is never broken."""

import os
import signal
import time
from pathlib import Path

import pytest

from hw2.runtime import parent_process
from hw2.runtime.errors import Interrupted
from hw2.runtime.signals import StopFlag


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_step_saves_the_state_and_sets_the_exit_code(
    signum: int, code: int
) -> None:
    saved = []
    with pytest.raises(Interrupted) as caught, StopFlag() as stop:
        for step in range(1, 10):
            if step == 3:
                os.kill(os.getpid(), signum)
            stop.raise_if_stopped(step, lambda step=step: saved.append(step))  # type: ignore[misc]
    assert saved == [3]
    assert caught.value.exit_code == code
    message = "interrupted at step 3, saved; run the same command to continue"
    assert str(caught.value).startswith(message)


def test_row_06_further_signals_during_the_save_are_ignored() -> None:
    saved = []

    def save() -> None:
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), signum)
            time.sleep(0.01)
        saved.append("whole")

    with pytest.raises(Interrupted) as caught, StopFlag() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        stop.raise_if_stopped(1, save)
    assert saved == ["whole"]
    assert caught.value.exit_code == 130  # the first one counts


def test_signal_handlers_are_restored_by_the_stop_flag() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with StopFlag() as stop:
        assert not stop.stopped
        stop.raise_if_stopped(1, pytest.fail)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize("noticed_by", ["poll", "kernel"])
def test_a_trainer_does_not_outlive_its_runner(tmp_path: Path, noticed_by: str) -> None:
    report = tmp_path / "report"
    ready, done = os.pipe()
    runner = os.fork()
    if runner == 0:
        try:
            if os.fork() == 0:
                _train(report, done, noticed_by)
            time.sleep(60)
        finally:
            os._exit(0)
    os.read(ready, 1)
    os.kill(runner, signal.SIGKILL)
    os.waitpid(runner, 0)
    deadline = time.monotonic() + 60  # only to end a hang
    while not report.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert report.read_text() == "143"
    os.close(ready)
    os.close(done)


def _train(report: Path, done: int, noticed_by: str) -> None:
    stop = StopFlag()
    if noticed_by == "kernel":
        stop.__enter__()
        parent_process.exit_with_parent()
        stop._parent = 0  # so that only the signal can tell
        os_getppid = os.getppid
        os.getppid = lambda: 0
    os.write(done, b"x")
    try:
        while True:
            stop.raise_if_stopped(1, lambda: None)
            time.sleep(0.01)
    except Interrupted as interrupted:
        if noticed_by == "kernel":
            os.getppid = os_getppid
        temporary = report.with_suffix(".part")
        temporary.write_text(str(interrupted.exit_code))
        temporary.rename(report)
    finally:
        os._exit(0)

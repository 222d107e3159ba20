"""One writer per folder; the lock ends with its process."""

import logging
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from hw2.runtime import process, run_lock
from hw2.runtime.errors import UserError


def holder(folder: Path) -> int:
    """A child that holds the lock until it is killed; returns its process id."""
    ready, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with run_lock.hold(folder):
                os.write(done, b"x")
                time.sleep(60)
        finally:
            os._exit(0)
    os.read(ready, 1)
    os.close(ready)
    os.close(done)
    return pid


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_second_writer_is_refused_with_the_first_ones_pid_until_that_ends(tmp_path: Path) -> None:
    pid = holder(tmp_path / "ddpm")
    try:
        with (
            pytest.raises(UserError, match=rf"ddpm: another run \(pid {pid}\) is writing here"),
            run_lock.hold(tmp_path / "ddpm", wait_seconds=0.2),
        ):
            pytest.fail("two writers")
        with run_lock.hold(tmp_path / "judge", wait_seconds=0):
            pass  # another folder is free
    finally:
        end(pid)
    with run_lock.hold(tmp_path / "ddpm", wait_seconds=0):
        assert (tmp_path / "ddpm/lock").read_text() == (
            f"{os.getpid()} {process.start_stamp(os.getpid())}\n"
        )


def test_a_lock_is_waited_for_while_its_holder_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pid = holder(tmp_path)
    timer = threading.Timer(0.3, end, [pid])
    timer.start()
    with caplog.at_level(logging.INFO), run_lock.hold(tmp_path, wait_seconds=10):
        pass
    timer.join()
    assert caplog.text.count(f"waiting for pid {pid}") == 1


def test_a_lock_can_be_held_again_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), run_lock.hold(tmp_path, wait_seconds=0):
            raise ZeroDivisionError


def test_a_symbolic_link_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "lock").symlink_to(tmp_path / "kept")
    with pytest.raises(UserError, match="cannot be opened"), run_lock.hold(tmp_path):
        pass
    assert (tmp_path / "kept").read_text() == "kept"


def test_found_17_a_lock_whose_owner_ended_names_the_file_to_remove(tmp_path: Path) -> None:
    """A child that outlives its parent inherits the lock; so may a file server keep it."""
    path = tmp_path / "lock"
    with run_lock.hold(tmp_path):
        path.write_text("1 1-00000000\n")  # process 1 lives, with another start
        with (
            pytest.raises(UserError, match=rf"run that has ended \(pid 1\).*remove {path}"),
            run_lock.hold(tmp_path, wait_seconds=0),
        ):
            pytest.fail("two writers")


def test_the_state_of_a_lock_is_told_without_waiting_or_writing(tmp_path: Path) -> None:
    folder = tmp_path / "ddpm"
    assert run_lock.refusal(folder) is None
    assert not folder.exists()
    pid = holder(folder)
    try:
        message = run_lock.refusal(folder)
        assert message is not None
        assert message.startswith(f"{folder}: another run (pid {pid}) is writing here; wait until")
    finally:
        end(pid)
    assert run_lock.refusal(folder) is None
    with run_lock.hold(folder, wait_seconds=0):
        pass  # asking left nothing locked

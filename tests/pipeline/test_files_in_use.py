"""DVC's list of files in use survives kills, and its owners are told by id and start."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import dvc.rwlock
import pytest
from dvc.lock import LockError
from dvc.repo import Repo

from hw2.pipeline import dvc_errors, files_in_use
from hw2.runtime import process
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the start is told by Linux only")


def status() -> dict[str, Any]:
    with Repo() as repo:
        return dict(repo.status())


def in_use(repository: Path, pid: int, command: str) -> None:
    """Make the list say that process `pid` writes the stage's output."""
    entry = {"pid": pid, "cmd": command}
    record = {"write": {str(repository / "copy.txt"): entry}, "read": {}}
    (repository / files_in_use.LIST).write_text(json.dumps(record))


@pytest.mark.parametrize(
    "content",
    [b"", b'{"write": {"/a', b"[]", b'{"write": 1}', bytes(99), b"\xff", b"[" * 10**5],
    ids=["empty", "cut", "list", "wrong form", "zeros", "not text", "nested"],
)
def test_found_16_a_damaged_list_is_dropped_in_one_line(
    repository: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    (repository / files_in_use.LIST).write_bytes(content)
    files_in_use.guard()
    capfd.readouterr()
    assert status() == {}
    (message,) = capfd.readouterr().err.splitlines()
    assert "rwlock: was damaged" in message
    assert not any(json.loads((repository / files_in_use.LIST).read_text()).values())


def test_found_16_a_failed_write_leaves_the_old_list(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(record: object, file: Any) -> None:
        file.write('{"wri')
        raise OSError(28, "No space left on device")

    files_in_use.guard()
    before = (repository / files_in_use.LIST).read_text()
    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr("dvc.rwlock.json.dump", full)
        status()
    assert (repository / files_in_use.LIST).read_text() == before
    assert status() == {}


def test_row_10_a_live_owner_is_waited_for_and_the_message_names_the_list(repository: Path) -> None:
    pid = os.getppid()
    in_use(repository, pid, f"dvc repro (process start {process.start_stamp(pid)})")
    files_in_use.guard()
    message = rf"PID {pid}.*remove \.dvc/tmp/rwlock"
    with pytest.raises(UserError, match=message), dvc_errors.explained():
        status()


def test_row_11_a_live_plain_dvc_is_waited_for(repository: Path) -> None:
    in_use(repository, os.getppid(), "dvc repro")
    files_in_use.guard()
    with pytest.raises(LockError):
        status()


@linux_only
def test_row_12_found_17_an_owner_whose_id_another_process_has_now_is_ignored(
    repository: Path,
) -> None:
    in_use(repository, os.getppid(), "job.py copy (process start 1-00000000)")
    files_in_use.guard()
    assert status() == {}


@linux_only
def test_a_plain_dvc_whose_id_another_program_has_now_is_ignored(repository: Path) -> None:
    in_use(repository, os.getppid(), "/usr/bin/dvc repro some_stage")
    os.utime(repository / files_in_use.LIST, (1, 1))
    files_in_use.guard()
    assert status() == {}


@linux_only
def test_entries_hold_the_start_of_their_process(repository: Path) -> None:
    files_in_use.guard()
    with Repo() as repo, dvc.rwlock.rwlock(repo.tmp_dir, repo.fs, "dvc", [], ["/x"], False):
        record = json.loads((repository / files_in_use.LIST).read_text())
    stamp = process.start_stamp(os.getpid())
    owner = {"pid": os.getpid(), "cmd": f"dvc (process start {stamp})"}
    assert record["write"] == {"/x": owner}


def test_an_entry_that_another_machine_dropped_does_not_fail_the_run(repository: Path) -> None:
    files_in_use.guard()
    read, write = str(repository / "data.txt"), str(repository / "copy.txt")
    with Repo() as repo, dvc.rwlock.rwlock(repo.tmp_dir, repo.fs, "run", [read], [write], False):
        listed = json.loads((repository / files_in_use.LIST).read_text())
        assert listed["read"].keys() == {read}
        assert listed["write"].keys() == {write}
        (repository / files_in_use.LIST).write_text('{"read": {}, "write": {}}')
    assert not any(json.loads((repository / files_in_use.LIST).read_text()).values())

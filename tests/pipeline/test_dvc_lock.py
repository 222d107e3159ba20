"""`dvc.lock` is complete at any instant; a damaged one is replaced and nothing runs again."""

from pathlib import Path
from typing import TextIO

import pytest
from dvc.repo import Repo
from dvc.utils.serialize import _yaml

from hw2.pipeline import dvc_lock, lock_repair
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

DAMAGE = {
    "empty": b"",
    "cut in a word": b"schema: '2.0'\nsta",
    "cut in an entry": b"schema: '2.0'\nstages:\n  copy:\n    cmd: cp\n    deps:\n    -",
    "zeros": bytes(500),
    "not text": b"\xff\xfe\x00s",
    "a list": b"- 1\n",
}


def run_second_version(repository: Path) -> None:
    (repository / "data.txt").write_text("two")
    with Repo() as repo:
        repo.reproduce()


def test_an_interrupt_while_dvc_writes_leaves_the_old_file(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(data: object, stream: TextIO) -> None:
        stream.write("schema: '2.0'\nsta")
        stream.flush()
        raise KeyboardInterrupt

    before = (repository / "dvc.lock").read_bytes()
    dvc_lock.write_atomically()
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(_yaml, "_dump", interrupted)
        run_second_version(repository)
    assert (repository / "dvc.lock").read_bytes() == before
    run_second_version(repository)
    assert (repository / "dvc.lock").read_bytes() != before
    assert not list(repository.glob(".tmp-*"))


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_kept_aside_and_finished_stages_do_not_run_again(
    repository: Path,
    damage: bytes,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    run_second_version(repository)
    complete = (repository / "dvc.lock").read_bytes()
    (repository / "dvc.lock").write_bytes(damage)
    capfd.readouterr()
    lock_repair.repair()
    (message,) = capfd.readouterr().err.splitlines()
    assert message.startswith("dvc.lock: was damaged")
    assert "rebuilt from the state before" in message
    (copy,) = repository.glob("dvc.lock.damaged-*")
    assert copy.name in message
    assert copy.read_bytes() == damage

    caplog.clear()
    run_second_version(repository)
    assert "Running stage" not in caplog.text
    assert "is cached - skipping run" in caplog.text
    assert (repository / "dvc.lock").read_bytes() == complete
    capfd.readouterr()
    lock_repair.repair()
    assert capfd.readouterr().err == ""


def test_without_a_committed_file_it_is_started_anew(
    repository: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (repository / ".git/HEAD").write_text("ref: refs/heads/without-a-commit\n")
    (repository / "dvc.lock").write_bytes(b"")
    lock_repair.repair()
    assert "started anew" in capfd.readouterr().err
    assert not (repository / "dvc.lock").exists()
    lock_repair.repair()  # a missing file is no damage
    assert capfd.readouterr().err == ""


def test_a_rebuild_that_fails_leaves_the_damaged_file_for_the_next_start(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    (repository / "dvc.lock").write_bytes(b"")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Repo, "status", interrupted)
        lock_repair.repair()
    assert (repository / "dvc.lock").read_bytes() == b""
    assert not list(repository.glob("dvc.lock.damaged-*"))
    lock_repair.repair()
    assert (repository / "dvc.lock").read_bytes() != b""


def test_a_merge_conflict_is_left_to_the_user(repository: Path) -> None:
    conflict = b"<<<<<<< HEAD\nschema: '2.0'\n=======\nschema: '2.0'\n>>>>>>> other\n"
    (repository / "dvc.lock").write_bytes(conflict)
    with pytest.raises(UserError, match=r"dvc\.lock: holds a merge conflict; take one side"):
        lock_repair.repair()
    assert (repository / "dvc.lock").read_bytes() == conflict

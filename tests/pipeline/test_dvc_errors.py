"""`hw2 plan` and Snakemake say the same one line where DVC cannot use the repository."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo

from hw2.pipeline import dag, plan
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

both = pytest.mark.parametrize("ask", [plan.due, dag.load], ids=["plan", "snakemake"])


def refusal(ask: Callable[[], Any]) -> str:
    with pytest.raises(UserError) as caught:
        ask()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@both
def test_found_05_without_git(repository: Path, ask: Callable[[], Any]) -> None:
    shutil.rmtree(repository / ".git")
    assert f"{repository}: DVC needs a Git repository" in refusal(ask)


@both
def test_found_05_with_conflict_marks_in_dvc_lock(repository: Path, ask: Callable[[], Any]) -> None:
    text = (repository / "dvc.lock").read_text()
    (repository / "dvc.lock").write_text(f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n")
    assert refusal(ask).startswith("dvc.lock: holds a merge conflict")


@both
def test_found_05_in_a_read_only_repository(
    repository: Path, ask: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), ".dvc/tmp/lock")

    monkeypatch.setattr(Repo, "status", read_only)
    assert refusal(ask).startswith(".dvc/tmp/lock: cannot be used (Read-only file system)")


@both
def test_with_a_damaged_dvc_lock_both_go_on(
    repository: Path, ask: Callable[[], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    (repository / "dvc.lock").write_bytes(b"")
    capfd.readouterr()
    ask()
    assert capfd.readouterr().err.startswith("dvc.lock: was damaged")
    assert plan.due() == {}


def test_found_04_dates_of_the_future_are_set_to_now(repository: Path) -> None:
    """Snakemake deletes an output that is older than an input when its job ends."""
    future, past = 4_000_000_000, 1_000_000_000
    os.utime(repository / "data.txt", (future, future))
    os.utime(repository / "copy.txt", (past, past))
    dag.load()
    assert past < (repository / "data.txt").stat().st_mtime < future
    assert (repository / "copy.txt").stat().st_mtime == past


@both
@pytest.mark.parametrize(
    "value", ["2026-13-45", "!!int x", "9" * 5000], ids=["date", "int", "long"]
)
def test_found_22_a_value_that_the_yaml_library_fails_on_names_the_file(
    repository: Path, ask: Callable[[], Any], value: str
) -> None:
    text = (repository / "dvc.yaml").read_text()
    (repository / "dvc.yaml").write_text(text + "    params: [seed]\n")
    (repository / "params.yaml").write_text(f"seed: {value}\n")
    assert refusal(ask).startswith("params.yaml: not valid YAML, a value cannot be read: ")

"""A Snakemake job: what it restores, what it imports, and what a signal after it leaves."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from hw2.pipeline import dvc_lock, job

pytestmark = pytest.mark.slow


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)


def commit(repository: Path, path: str, content: str) -> str:
    """Commit a file and remove it, as Snakemake does before a job; returns its MD5 hash."""
    file = repository / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    git("add", path)
    git("-c", "user.name=t", "-c", "user.email=t@example.invalid", "commit", "-qm", path)
    file.unlink()
    return hashlib.md5(content.encode()).hexdigest()


def test_outputs_of_a_stage_are_those_that_dvc_recorded(repository: Path) -> None:
    assert dvc_lock.recorded_outputs("copy") == {"copy.txt": hashlib.md5(b"one").hexdigest()}
    assert dvc_lock.recorded_outputs("other") == {}


@pytest.mark.parametrize("content", [None, b"", b"schema: '2.0'\nsta", b"- 1\n"])
def test_a_missing_or_damaged_lock_records_no_outputs(
    repository: Path, content: bytes | None
) -> None:
    (repository / "dvc.lock").unlink()
    if content is not None:
        (repository / "dvc.lock").write_bytes(content)
    assert dvc_lock.recorded_outputs("copy") == {}


def test_only_the_recorded_content_is_restored_from_git(repository: Path) -> None:
    right = commit(repository, "metrics/right ü.json", "1")
    commit(repository, "metrics/other.json", "2")
    present = commit(repository, "metrics/present.json", "3")
    (repository / "metrics/present.json").write_text("newer")
    recorded = {
        "metrics/right ü.json": right,
        "metrics/other.json": right,
        "metrics/present.json": present,
        "in cache only.txt": right,
        "metrics": f"{right}.dir",
    }
    job.restore_metrics(recorded)
    found = {file.name: file.read_text() for file in (repository / "metrics").iterdir()}
    assert found == {"right ü.json": "1", "present.json": "newer"}
    assert not (repository / "in cache only.txt").exists()


def test_a_job_does_not_wait_for_what_only_stages_and_errors_need() -> None:
    imports = "import sys; from hw2.pipeline import dvc_errors, dvc_lock, files_in_use, job;"
    listed = " print({'pydantic', 'numpy', 'torch', 'hw2.config.params'} & set(sys.modules))"
    command = [sys.executable, "-c", imports + listed]
    assert subprocess.check_output(command, text=True) == "set()\n"


# Runs the job of the stage `copy`, to which a signal comes when DVC begins to record it.
STOPPED_WHILE_IT_RECORDS = """\
import os, signal, sys
from dvc.stage import Stage
from hw2.pipeline import job
signal.signal(signal.SIGTERM, job.exit_cleanly)
save = Stage.save
def stopped(*arguments, **options):
    os.kill(os.getpid(), signal.Signals[sys.argv[1]])
    return save(*arguments, **options)
Stage.save = stopped
sys.exit(job.run("copy"))
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_after_the_command_does_not_lose_the_stage(repository: Path, name: str) -> None:
    (repository / "data.txt").write_text("two")
    command = [sys.executable, "-c", STOPPED_WHILE_IT_RECORDS, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (repository / "copy.txt").read_text() == "two"
    with Repo() as repo:
        assert repo.status() == {}

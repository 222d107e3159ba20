"""A stage whose command succeeded is recorded, also if the job is told to stop just then."""

import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

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

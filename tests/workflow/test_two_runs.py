"""Two whole runs at once: the second is refused, and the first ends as if it were alone."""

import json
import os
import signal
from pathlib import Path

import pytest
from scratch import HANG, SLOW_MODEL, SLOW_STAGE, Scratch, kill_all, processes

from hw2.pipeline import files_in_use

pytestmark = pytest.mark.slow


def test_row_10_a_second_snakemake_is_refused_and_does_the_first_no_harm(
    slow: Scratch, unbroken: Scratch, tmp_path: Path
) -> None:
    scratch = slow.copy(tmp_path / "shared")
    command = scratch.tool("snakemake", SLOW_STAGE, SLOW_MODEL)
    first = scratch.start(*command)
    try:
        scratch.wait_for_resume_file(SLOW_STAGE, driver=first)
        trainers = [p for p, text in processes(scratch.root).items() if f"{SLOW_STAGE}.py" in text]
        for pid in trainers:  # it would end before the second run has begun
            os.kill(pid, signal.SIGSTOP)
        writers = json.loads(scratch.text(files_in_use.LIST))["write"].values()
        second = scratch.run(*command)
        for pid in trainers:
            os.kill(pid, signal.SIGCONT)
        assert first.wait(HANG) == 0, scratch.text("started.txt")
    finally:
        kill_all(scratch.root)
    assert second.code != 0
    (owner,) = {writer["pid"] for writer in writers}
    assert f"another run (PID {owner}) is using this repository; wait until it ends" in second.text
    assert "Traceback" not in second.text
    assert not second.ran
    assert "resuming from step" not in scratch.text("started.txt")
    assert scratch.bytes(SLOW_MODEL) == unbroken.bytes(SLOW_MODEL)
    assert scratch.scheduled(SLOW_MODEL) == set()

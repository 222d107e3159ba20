"""Stop either tool in mid-training in any way: a plain rerun continues and ends in the same."""

import os
import re
import signal
from pathlib import Path

import pytest
from scratch import HANG, Scratch, processes
from scratch import SLOW_MODEL as MODEL
from scratch import SLOW_STAGE as STAGE

from hw2.io import files

pytestmark = pytest.mark.slow
HISTORY = "results/ddpm/history.csv"
LIMIT = 600  # seconds; only to end a hang
SCRIPT = f"workflow/scripts/{STAGE}.py"


@pytest.mark.parametrize(
    ("tool", "signum", "group"),
    [
        ("snakemake", signal.SIGINT, True),  # Ctrl-C
        ("snakemake", signal.SIGTERM, True),
        ("snakemake", signal.SIGKILL, True),
        ("snakemake", signal.SIGKILL, False),
        ("dvc", signal.SIGINT, True),
        ("dvc", signal.SIGTERM, False),
        ("dvc", signal.SIGKILL, False),
    ],
)
def test_row_04_05_07_08_a_rerun_resumes_an_interrupted_training(
    slow: Scratch, unbroken: Scratch, tmp_path: Path, tool: str, signum: int, group: bool
) -> None:
    scratch = slow.copy(tmp_path / "stopped")
    driver = scratch.start(*scratch.tool(tool, STAGE, MODEL))
    scratch.wait_for_resume_file(STAGE, driver=driver)
    (os.killpg if group else os.kill)(driver.pid, signum)
    assert driver.wait(timeout=HANG) != 0
    assert not (scratch.root / MODEL).exists(), "stopped too late: raise SLOW"

    # At once, and with the other tool: what is still ending may be waited for, not tripped over.
    other = "dvc" if tool == "snakemake" else "snakemake"
    done = scratch.run(*scratch.tool(other, STAGE, MODEL))
    assert done.code == 0, done.text
    assert re.search(r"resuming from step \d", done.text)
    assert scratch.bytes(MODEL) == unbroken.bytes(MODEL)
    assert not processes(scratch.root)


def test_a_signal_to_snakemake_alone_lets_its_job_finish(
    slow: Scratch, unbroken: Scratch, tmp_path: Path
) -> None:
    """SIGTERM (and SIGINT) for Snakemake only means to it: start nothing new, finish what runs."""
    scratch = slow.copy(tmp_path / "stopped")
    driver = scratch.start(*scratch.tool("snakemake", STAGE, MODEL))
    scratch.wait_for_resume_file(STAGE, driver=driver)
    os.kill(driver.pid, signal.SIGTERM)
    driver.wait(timeout=HANG)
    assert not processes(scratch.root)
    done = scratch.run(*scratch.tool("snakemake", STAGE, MODEL))
    assert done.code == 0, done.text
    assert scratch.bytes(MODEL) == unbroken.bytes(MODEL)


def test_a_script_in_two_processes_that_lost_one_resumes_to_the_curve_of_one(
    slow: Scratch, unbroken: Scratch, tmp_path: Path
) -> None:
    scratch = slow.copy(tmp_path / "lost")
    script = ("env", "PYTHONPATH=src", "HW2_PROCESSES=2", "python", "-P", SCRIPT)
    driver = scratch.start(*script)
    scratch.wait_for_resume_file(STAGE, LIMIT)
    members = [pid for pid, command in processes(scratch.root).items() if SCRIPT in command]
    os.kill(next(pid for pid in members if pid != driver.pid), signal.SIGKILL)
    assert driver.wait(LIMIT) == 1, scratch.text("started.txt")
    assert " of 2 was ended by SIGKILL" in scratch.text("started.txt")
    done = scratch.run(*script)
    assert done.code == 0, done.text
    assert re.search(r"resuming from step \d", done.text)
    curve, of_one = (files.read_table(run.root / HISTORY) for run in (scratch, unbroken))
    assert [row["loss"] for row in curve] == pytest.approx(
        [row["loss"] for row in of_one], rel=0, abs=1e-5
    )
    assert not processes(scratch.root)

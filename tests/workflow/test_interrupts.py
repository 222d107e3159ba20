"""Stop either tool in mid-training in any way: a plain rerun continues and ends in the same."""

import os
import re
import signal
from pathlib import Path

import pytest
from scratch import HANG, Scratch, processes
from scratch import SLOW_MODEL as MODEL
from scratch import SLOW_STAGE as STAGE

pytestmark = pytest.mark.slow


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
def test_a_rerun_resumes_an_interrupted_training(
    slow: Scratch, unbroken: bytes, tmp_path: Path, tool: str, signum: int, group: bool
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
    assert (scratch.root / MODEL).read_bytes() == unbroken
    assert not processes(scratch.root)


def test_a_signal_to_snakemake_alone_lets_its_job_finish(
    slow: Scratch, unbroken: bytes, tmp_path: Path
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
    assert (scratch.root / MODEL).read_bytes() == unbroken

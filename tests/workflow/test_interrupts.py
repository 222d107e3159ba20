"""Stop either tool in mid-training in any way: a plain rerun continues and ends in the same."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from scratch import Scratch, once, processes

pytestmark = pytest.mark.slow

STAGE, MODEL = "ddpm_train", "results/ddpm/model.safetensors"
# Long enough to be stopped in the middle: a few seconds, with a resume file early and often.
SLOW = {"ddpm.train.steps": 80, "ddpm.train.save_every": 10}


@pytest.fixture(scope="module")
def slow(built: Scratch) -> Scratch:
    """Ready for a training of a few seconds."""

    def make(root: Path) -> None:
        scratch = built.copy(root)
        scratch.set(SLOW)
        scratch.commit("slow")

    return once(built.root.parent / "slow", make)


@pytest.fixture(scope="module")
def unbroken(slow: Scratch) -> bytes:
    """The model of a training that nobody stopped."""

    def make(root: Path) -> None:
        slow.copy(root).dvc("repro", STAGE)

    return (once(slow.root.parent / "unbroken", make).root / MODEL).read_bytes()


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
    _wait_for_resume_file(scratch)
    (os.killpg if group else os.kill)(driver.pid, signum)
    assert driver.wait(timeout=120) != 0
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
    _wait_for_resume_file(scratch)
    os.kill(driver.pid, signal.SIGTERM)
    driver.wait(timeout=120)
    assert not processes(scratch.root)
    done = scratch.run(*scratch.tool("snakemake", STAGE, MODEL))
    assert done.code == 0, done.text
    assert (scratch.root / MODEL).read_bytes() == unbroken


def _wait_for_resume_file(scratch: Scratch) -> None:
    folder = scratch.root / "checkpoints"
    limit = time.monotonic() + 90  # only to end a hang; the training reaches the file in seconds
    while not list(folder.glob(f"{STAGE}-*/*/step-*.json")):
        assert time.monotonic() < limit, scratch.text("started.txt")
        time.sleep(0.02)

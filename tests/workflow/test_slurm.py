"""Stages as jobs of a real SLURM of one node: one that its time limit ends resumes.

HW2_TEST_DEEP=1 adds the whole DAG, in minutes.
"""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import slurm
from filelock import FileLock
from scratch import DEEP, EVERYTHING, FIGURES, REPO, SLOW_MODEL, SLOW_STAGE, Scratch, processes
from servers import wait_until

from hw2.config import loader
from hw2.pipeline import declared

pytestmark = pytest.mark.slow

LIMIT, WHOLE_LIMIT = 1200, 7200  # seconds; only to end a hang
# For a node of few cores without accounting, and quick to notice the end of a job.
COMMAND = [
    *("snakemake", "--workflow-profile", "profiles/slurm", "--cores", "1", "--slurm-no-account"),
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"),
    *("--seconds-between-status-checks", "2", "--latency-wait", "10"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with FileLock(Path(tempfile.gettempdir(), "hw2-slurm.lock")):  # a machine is one node
        slurm.skip_unless_possible()
        with slurm.cluster(tmp_path_factory.mktemp("slurm") / "cluster"):
            yield


@pytest.mark.usefixtures("cluster")
def test_a_job_at_its_time_limit_is_retried_and_resumes(
    slow: Scratch, unbroken: Scratch, tmp_path: Path
) -> None:
    scratch = slow.copy(tmp_path / "shared")
    driver = scratch.start(*COMMAND, SLOW_MODEL)
    scratch.wait_for_resume_file(SLOW_STAGE, LIMIT)
    # A step takes hundredths of a second: hold the training until the limit is enforced, which
    # slurmctld does every half minute. slurmd continues the processes before it ends them.
    for pid, command in processes(scratch.root).items():
        if f"{SLOW_STAGE}.py" in command:
            os.kill(pid, signal.SIGSTOP)
    job = re.search(rf"SLURM jobid (\d+) \(log: \S*{SLOW_STAGE}", scratch.text("started.txt"))
    assert job is not None
    # The limit of a minute at least is for real jobs; this ends a second from now.
    subprocess.run(["scontrol", "update", f"JobId={job[1]}", "EndTime=now+1"], check=True)
    wait_until(
        lambda: _state(job[1]) == "TIMEOUT", lambda: scratch.text("started.txt"), seconds=LIMIT
    )
    assert driver.wait(LIMIT) == 0, scratch.text("started.txt")
    assert re.search(r"resuming from step \d", scratch.text(f"logs/{SLOW_STAGE}.log"))
    assert scratch.bytes(SLOW_MODEL) == unbroken.bytes(SLOW_MODEL)
    assert scratch.scheduled(SLOW_MODEL) == set()


@DEEP
@pytest.mark.usefixtures("cluster")
def test_the_whole_dag_gives_the_bytes_of_a_local_run(
    source: Scratch, built: Scratch, tmp_path: Path
) -> None:
    scratch = source.copy(tmp_path / "whole")
    done = scratch.run(*COMMAND, FIGURES, seconds=WHOLE_LIMIT)
    assert done.code == 0, done.text
    submitted = re.findall(r"SLURM jobid \d+ \(log: \S*/rule_(\w+)/", done.text)
    assert sorted(submitted) == sorted(EVERYTHING - _local_stages())
    recorded, local = (loader.read_yaml(s.root / "dvc.lock")["stages"] for s in (scratch, built))
    assert recorded.keys() >= EVERYTHING
    assert recorded == local
    assert scratch.scheduled() == set()


def test_every_stage_that_is_no_local_one_has_its_limits() -> None:
    defaults = loader.read_yaml(REPO / "profiles/slurm/config.yaml")["default-resources"]
    assert {"runtime", "mem_mb"} <= defaults.keys()
    for stage, entry in declared.entries(REPO / "dvc.yaml").items():
        resources = (entry.get("meta") or {}).get("resources")
        assert resources is None or resources.keys() == {"gpu", "runtime", "mem_mb"}, stage


def _local_stages() -> set[str]:
    entries = declared.entries(REPO / "dvc.yaml")
    return {name for name, entry in entries.items() if (entry.get("meta") or {}).get("local")}


def _state(job: str) -> str:
    shown = subprocess.run(
        ["squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T"],
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout.strip()

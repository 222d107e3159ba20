"""One Snakemake job: run a stage through DVC, and stop when Snakemake stops.

`python -m hw2.pipeline.job STAGE PARENT`, where PARENT is the process id of Snakemake.

DVC and the stage's script run in a process group of their own, below a supervisor that forwards
signals. So a SIGKILL of Snakemake's whole group reaches them as a SIGTERM: the training saves, and
DVC removes its entry from the list of files in use. A killed DVC would leave it there, and the next
`dvc repro` would wait for a process that is already gone.
"""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from hw2.runtime.errors import UserError
from hw2.runtime.parent_process import exit_with_parent

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(stage: str, parent: int) -> int:
    """Run the stage below a supervisor of signals; returns the exit code."""
    return supervised(lambda: run(stage), parent)


def supervised(work: Callable[[], int], parent: int) -> int:
    """Do the work, which runs DVC, below a supervisor of signals; returns its exit code."""
    supervisor = os.getpid()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, exit_cleanly)
        stop_with(supervisor)
        return work()

    def forward(signum: int, _: FrameType | None) -> None:
        os.killpg(child, signum)

    for signum in STOPS:
        signal.signal(signum, forward)
    stop_with(parent)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def exit_cleanly(signum: int, _: FrameType | None) -> None:
    """Exit through DVC's `finally`, which no second signal may interrupt.

    The next `dvc repro` could not read a half-written list of files in use.
    """
    ignore_signals()
    sys.exit(128 + signum)


def ignore_signals() -> None:
    """Let no signal that asks to stop interrupt what is left to do."""
    for signum in STOPS:
        signal.signal(signum, signal.SIG_IGN)


def stop_with(parent: int) -> None:
    """Get a SIGTERM when the parent dies, however it dies."""
    exit_with_parent()
    if os.getppid() != parent:  # it died before the call above
        os.kill(os.getpid(), signal.SIGTERM)


def run(stage: str) -> int:
    """Run the stage through DVC; returns the exit code."""
    from hw2.pipeline import dvc_errors, dvc_lock  # here, so that the supervisor starts fast

    try:
        with dvc_errors.explained():
            restore_metrics(dvc_lock.recorded_outputs(stage))
    except UserError as error:
        print(f"hw2 {stage}: {error}", file=sys.stderr)
        return 2
    # Not `--pull`: with it, DVC calls a missing metrics file up to date.
    return repro("--single-item", stage)


def repro(*arguments: str) -> int:
    """`dvc repro` with DVC's files kept safe against kills; returns the exit code."""
    from dvc.cli import main as dvc  # here, so that the supervisor starts fast and stays small

    from hw2.pipeline import dvc_lock, files_in_use

    dvc_lock.write_atomically()
    files_in_use.guard()
    record_when_finished()
    # `python` in a stage's command is the Python that runs Snakemake.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return int(dvc(["--wait-for-lock", "repro", *arguments]))


def record_when_finished() -> None:
    """Make DVC record a stage whose command succeeded, whatever signal comes then.

    It takes seconds at most, and a stage that is not recorded would run again as a whole.
    """
    from dvc.stage import run as stage_run

    run_command = stage_run.cmd_run

    def run_and_ignore_signals(*arguments: Any, **options: Any) -> None:
        run_command(*arguments, **options)
        ignore_signals()

    stage_run.cmd_run = run_and_ignore_signals


def restore_metrics(recorded: Mapping[str, str]) -> None:
    """Restore metrics files that Snakemake removed before this job, if Git has the right ones.

    Snakemake deletes all outputs of a job before it starts. DVC restores those in its cache if
    nothing changed, but metrics are in Git, not in the cache: without this a clone would run the
    stage again, a training even, just because a stage above it was restored. Git has no file of
    an output that DVC's cache holds, so these are left to DVC.

    Args:
        recorded: The MD5 hash of each output of the stage that `dvc.lock` records, by path.
    """
    missing = [path for path in recorded if not os.path.lexists(path)]
    if not missing:
        return
    in_git = _git("ls-tree", "-z", "--name-only", "HEAD", "--", *missing).decode().split("\0")
    for path in filter(recorded.__contains__, in_git):
        content = _git("show", f"HEAD:./{path}")
        if hashlib.md5(content, usedforsecurity=False).hexdigest() == recorded[path]:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(content)


def _git(*arguments: str) -> bytes:
    """What Git prints; nothing where it fails, as in a repository without a commit."""
    return subprocess.run(["git", *arguments], capture_output=True, check=False).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))

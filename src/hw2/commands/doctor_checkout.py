"""Checks of `hw2 doctor` on the checkout, which is the working directory."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from hw2.commands.doctor_finding import Finding
from hw2.config import paths
from hw2.runtime import run_lock

_WRITTEN = ("results", "data", ".dvc")


def writable() -> Finding:
    """Whether files can be made in the folders that a run writes to, where these exist."""
    if not Path(".dvc").is_dir():
        return Finding("fail", "no folder .dvc", "restore it with `git checkout .dvc`")
    for name in _WRITTEN:
        folder = Path(name) if Path(name).exists() else Path()  # a run makes the missing ones
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            return Finding(
                "fail",
                f"{name}: no file can be written there ({error.strerror})",
                "correct its permissions, free some space, or copy the repository elsewhere",
            )
    return Finding("ok", ", ".join(_WRITTEN))


def git() -> Finding:
    """The commit and the number of changed and new files; DVC needs a Git repository."""
    if shutil.which("git") is None:
        return Finding("fail", "git is not installed", "install it, because DVC needs it")
    status = _git("status", "--porcelain")
    if status.returncode:
        reason = status.stderr.strip().partition("\n")[0]
        return Finding("fail", f"Git cannot use this folder ({reason})", _git_fix(reason))
    files = len(status.stdout.splitlines())
    state = f"{files} changed or new file(s)" if files else "no changed files"
    commit = _git("rev-parse", "--short", "--verify", "HEAD")
    if commit.returncode:
        return Finding("warn", f"no commit yet, {state}", "run `git add . && git commit -m start`")
    return Finding("ok", f"commit {commit.stdout.strip()}, {state}")


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git with English messages, and without a lock that a run could meet."""
    return subprocess.run(
        ["git", "--no-optional-locks", *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        env=os.environ | {"LC_ALL": "C"},
    )


def _git_fix(reason: str) -> str:
    if "dubious ownership" in reason:  # usual in containers, where another user owns the files
        return 'run `git config --global --add safe.directory "$PWD"`'
    return "in a downloaded copy run `git init && git add . && git commit -m start`"


def trainings() -> Finding:
    """Whether a training holds the lock of its folder; other stages hold none."""
    locks = sorted(paths.load().checkpoints.glob("*/lock"))
    messages = [message for lock in locks if (message := run_lock.refusal(lock.parent))]
    if messages:
        return Finding("warn", "\n".join(messages))
    return Finding("ok", "none is running")

"""Working copies of this repository in which a run with other parameters does not disturb others.

A copy is a Git clone that shares the objects of this repository, and its cache of DVC. It holds
the working tree as it stood when the snapshot was taken, edits that are not committed included.
"""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dvc.repo import Repo

from hw2.pipeline import dvc_errors
from hw2.runtime.errors import UserError

_AUTHOR = {
    "GIT_AUTHOR_NAME": "hw2",
    "GIT_AUTHOR_EMAIL": "hw2@localhost",
    "GIT_COMMITTER_NAME": "hw2",
    "GIT_COMMITTER_EMAIL": "hw2@localhost",
}


def snapshot() -> str:
    """The commit of the working tree: HEAD, or a child of it on no branch if there are edits.

    Raises:
        UserError: if this is no Git repository with a commit.
    """
    head = _git("rev-parse", "--verify", "HEAD")
    with tempfile.TemporaryDirectory() as folder:
        # An index of its own, which leaves what the user has staged alone.
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        _git("read-tree", head, env=index)
        _git("add", "--all", ".", env=index)
        tree = _git("write-tree", env=index)
    if tree == _git("rev-parse", f"{head}^{{tree}}"):
        return head
    return _git("commit-tree", tree, "-p", head, "-m", "working tree of a grid", env=_AUTHOR)


def content(commit: str, paths: Sequence[str]) -> str:
    """A hash of the files and folders at `paths` in a commit."""
    listing = _git("ls-tree", "-r", "--full-tree", commit, "--", *paths)
    return hashlib.sha256(listing.encode()).hexdigest()


def refresh(folder: Path, commit: str) -> None:
    """Bring a copy to a commit, and make it first if it does not exist.

    What Git ignores stays: results that DVC knows, and the resume files of interrupted trainings.
    """
    if not (folder / ".git").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _git("clone", "--quiet", "--shared", "--no-checkout", ".", str(folder))
    _git("-C", str(folder), "checkout", "--quiet", "--force", "--detach", commit)
    _git("-C", str(folder), "clean", "--quiet", "--force", "-d")
    with dvc_errors.explained():
        cache = Repo().cache.local.path
        with Repo(str(folder)).config.edit("local") as config:
            config["cache"] = {"dir": str(Path(cache).parents[1])}


def _git(*arguments: str, env: Mapping[str, str] | None = None) -> str:
    command = ["git", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | dict(env or {}), check=False
    )
    if done.returncode:
        reason = " ".join(done.stderr.split()) or "git failed"
        raise UserError(f"git {arguments[0]}: {reason}; run it in a clone with a commit")
    return done.stdout.strip()

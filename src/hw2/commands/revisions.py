"""Files of Git revisions, DVC experiments and the working tree."""

import difflib
import subprocess
from pathlib import Path

from hw2.runtime.errors import UserError

WORKSPACE = "workspace"  # DVC's name for the working tree


def read(revision: str, path: Path) -> bytes | None:
    """The content of a file of the repository at a revision, or None if it has no such file.

    Args:
        revision: Revision of Git, name of a DVC experiment, or `workspace`.
        path: Path below the working folder.

    Raises:
        UserError: if the revision does not exist, or the file cannot be read.
    """
    if revision == WORKSPACE:
        return _content(path)
    commit = _commit(revision)
    below = path.absolute().relative_to(Path.cwd()).as_posix()
    shown = _git("show", f"{commit}:./{below}")
    return None if shown.returncode else shown.stdout


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); correct or recreate it"
        ) from error


def _commit(revision: str) -> str:
    """The commit of a revision, or of a DVC experiment, which has a ref below refs/exps."""
    verified = _git(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if not verified.returncode:
        return verified.stdout.decode().strip()
    refs = _git("for-each-ref", "--format=%(refname)", "refs/exps").stdout.decode().split()
    for ref in refs:
        if ref.rpartition("/")[2] == revision:
            return ref
    names = [ref.rpartition("/")[2] for ref in (*refs, *_names())]
    raise UserError(
        f"{revision}: neither a revision of Git nor an experiment; `git log` and `dvc exp list`"
        f" list them{_hint(revision, names)}"
    )


def _names() -> list[str]:
    """Branches and tags."""
    listed = _git("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags")
    return listed.stdout.decode().split()


def _hint(revision: str, names: list[str]) -> str:
    close = difflib.get_close_matches(revision, [*names, WORKSPACE], n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise UserError("git: not found; install it") from error

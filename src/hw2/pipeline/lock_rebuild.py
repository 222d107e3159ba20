"""Rebuild `dvc.lock` after damage, from the copy of the last stage's start and the last commit.

For each stage the entry is taken that fits what is in the working tree. A stage that finished after
the copy was made is either in DVC's run cache, which restores it, or noted by the runner: then it
is entered here.
"""

from pathlib import Path
from typing import Any

from dvc.repo import Repo
from dvc.utils.serialize import dump_yaml

from hw2.config import params
from hw2.io.atomic import atomic_path
from hw2.pipeline import declared, dvc_lock, lock_backup
from hw2.runtime.errors import UserError


def rebuild(repo: Repo, path: Path, sources: list[bytes]) -> bool:
    """Write the lock file at `path` anew; returns whether a source was complete.

    Args:
        repo: The repository, whose lock is held.
        path: Where the file lies; what is there now is replaced.
        sources: Earlier contents, the newest first; those that are not complete are left out.
    """
    complete = [data for data in map(dvc_lock.parsed, sources) if data]
    path.unlink(missing_ok=True)
    if complete:
        _write(path, _fitting(repo, path, complete))
    _enter_noted(repo)
    return bool(complete)


def _fitting(repo: Repo, path: Path, sources: list[dict[str, Any]]) -> dict[str, Any]:
    """The first source, with entries of a later one where only that fits the working tree."""
    result, *others = sources
    for other in others:
        stale = _changed(repo, path, result)
        current = stale - _changed(repo, path, other)
        entries = {name: other["stages"][name] for name in current if name in other["stages"]}
        result = {**result, "stages": {**result.get("stages", {}), **entries}}
    return result


def _changed(repo: Repo, path: Path, data: dict[str, Any]) -> set[str]:
    """The stages that DVC would run with this lock file."""
    _write(path, data)
    repo._reset()  # it has read the file before
    return set(repo.status())


def _enter_noted(repo: Repo) -> None:
    """Enter stages that finished, and whose inputs, parameters and outputs are as noted then."""
    repo._reset()
    changed = repo.status()
    for stage in lock_backup.noted():
        if stage in changed and lock_backup.is_unchanged(stage, _parameters(stage)):
            repo.commit(stage, force=True)


def _parameters(stage: str) -> dict[str, Any]:
    try:
        return declared.restrict_params(params.load(), declared.read(stage)).model_dump()
    except UserError:
        return {}  # unlike any that were noted


def _write(path: Path, data: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        dump_yaml(str(temporary), data)

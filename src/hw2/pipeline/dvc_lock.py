"""`dvc.lock` is complete at any instant, and a damaged one is replaced.

DVC writes the file in place at the end of every stage. An interrupt in that moment leaves it empty
or cut, and DVC then refuses every command. In a process that calls `write_atomically` the file is
replaced as a whole. `repair` is for a file that plain DVC left damaged; `lock_backup` and
`lock_rebuild` know what it held.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dvc.utils.serialize._common as serialization
from dvc.repo import Repo, lock_repo

from hw2.io.atomic import atomic_path
from hw2.pipeline import lock_backup, lock_rebuild
from hw2.runtime.errors import UserError

LOCK = "dvc.lock"
_CONFLICT = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
_dvc_dump = serialization._dump_data


def write_atomically() -> None:
    """Make DVC replace the files that it updates in this process, instead of rewriting them."""
    serialization._dump_data = _dump


def _dump(path: str, data: Any, dumper: Any, fs: Any = None, **arguments: Any) -> None:
    with atomic_path(os.path.realpath(path)) as temporary:
        _dvc_dump(temporary, data, dumper, **arguments)


def repair() -> None:
    """Rebuild a damaged `dvc.lock`, and say so in one line; the damaged file is kept aside.

    Raises:
        UserError: if the file holds a merge conflict, which is the user's to resolve.
    """
    if _is_sound(Path(LOCK)):
        return
    with Repo(_wait_for_lock=True) as repo, lock_repo(repo):  # plain DVC may just be writing
        path = Path(repo.root_dir, LOCK)
        if not _is_sound(path):
            _replace(repo, path)


def _is_sound(path: Path) -> bool:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return True  # nothing was run yet
    if _CONFLICT.search(content):
        raise UserError(
            f"{LOCK}: holds a merge conflict; take one side, as with"
            f" `git checkout --ours {LOCK}`, and run again"
        )
    return lock_rebuild.parsed(content) is not None


def _replace(repo: Repo, path: Path) -> None:
    copy = path.with_name(f"{LOCK}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    path.replace(copy)
    show = ["git", "show", f"HEAD:./{LOCK}"]
    committed = subprocess.run(show, cwd=path.parent, capture_output=True, check=False).stdout
    backup = path.parent / lock_backup.COPY
    sources = [backup.read_bytes() if backup.is_file() else b"", committed]
    try:
        found = lock_rebuild.rebuild(repo, path, sources)
    except BaseException:
        copy.replace(path)  # a file that is missing would look as if nothing was run yet
        raise
    origin = "rebuilt from the state before" if found else "started anew"
    print(
        f"{LOCK}: was damaged, probably by an interrupt; kept as {copy.name} and {origin};"
        " finished stages are restored, not run again",
        file=sys.stderr,
    )

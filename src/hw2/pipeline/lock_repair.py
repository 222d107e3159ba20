"""A `dvc.lock` that plain DVC left damaged is replaced.

`lock_backup` and `lock_rebuild` know what it held.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

from dvc.repo import Repo, lock_repo

from hw2.pipeline import dvc_lock, lock_backup, lock_rebuild
from hw2.runtime.errors import UserError

_CONFLICT = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)


def repair() -> None:
    """Rebuild a damaged `dvc.lock`, and say so in one line; the damaged file is kept aside.

    Raises:
        UserError: if the file holds a merge conflict, which is the user's to resolve.
    """
    if _is_sound(Path(dvc_lock.LOCK)):
        return
    with Repo(_wait_for_lock=True) as repo, lock_repo(repo):  # plain DVC may just be writing
        path = Path(repo.root_dir, dvc_lock.LOCK)
        if not _is_sound(path):
            _replace(repo, path)


def _is_sound(path: Path) -> bool:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return True  # nothing was run yet
    if _CONFLICT.search(content):
        raise UserError(
            f"{dvc_lock.LOCK}: holds a merge conflict; take one side, as with"
            f" `git checkout --ours {dvc_lock.LOCK}`, and run again"
        )
    return dvc_lock.parsed(content) is not None


def _replace(repo: Repo, path: Path) -> None:
    copy = path.with_name(f"{dvc_lock.LOCK}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    path.replace(copy)
    show = ["git", "show", f"HEAD:./{dvc_lock.LOCK}"]
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
        f"{dvc_lock.LOCK}: was damaged, probably by an interrupt; kept as {copy.name} and {origin};"
        " finished stages are restored, not run again",
        file=sys.stderr,
    )

"""`dvc.lock` is complete at any instant, and a damaged one is replaced.

DVC writes the file in place at the end of every stage. An interrupt in that moment leaves it empty
or cut, and DVC then refuses every command. In a process that calls `write_atomically` the file is
replaced as a whole. `repair` is for a file that plain DVC left damaged.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dvc.utils.serialize._common as serialization
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from dvc.utils.serialize import parse_yaml
from voluptuous import Invalid

from hw2.io.atomic import atomic_path
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
    """Replace a damaged `dvc.lock` by that of the last commit, and say so in one line.

    The damaged file is kept under another name. A stage that ran since the commit differs from the
    committed file, so it is due; DVC restores it from its run cache instead of running it again.

    Raises:
        UserError: if the file holds a merge conflict, which is the user's to resolve.
    """
    if _is_sound(Path(LOCK)):
        return
    with Repo(_wait_for_lock=True) as repo, repo.lock:  # plain DVC may just be writing
        path = Path(repo.root_dir, LOCK)
        if not _is_sound(path):
            _replace(path)


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
    return _is_lock(content)


def _is_lock(content: bytes) -> bool:
    try:
        COMPILED_LOCKFILE_SCHEMA(parse_yaml(content.decode(), LOCK))
    except (DvcException, Invalid, ValueError, RecursionError):
        return False
    return True


def _replace(path: Path) -> None:
    copy = path.with_name(f"{LOCK}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    shutil.copy(path, copy)
    show = ["git", "show", f"HEAD:./{LOCK}"]
    committed = subprocess.run(show, cwd=path.parent, capture_output=True, check=False).stdout
    if committed and _is_lock(committed):
        with atomic_path(path) as temporary:
            temporary.write_bytes(committed)
        source = "taken from the last commit"
    else:
        path.unlink()
        source = "started anew"
    print(
        f"{LOCK}: was damaged, probably by an interrupt; kept as {copy.name} and {source};"
        " finished stages are restored from DVC's cache",
        file=sys.stderr,
    )

"""DVC's list of files in use, `.dvc/tmp/rwlock`, made safe against kills and reused process ids.

DVC writes the list in place, so a kill or a full disk leaves a part of it, which every later run
refuses; and it takes an entry for live as long as any process has the recorded id. In a process
that calls `guard`, the list is replaced as a whole, a damaged one is dropped while DVC's own lock
on it is held, and an entry holds the start of its process as well.

A process of another machine that shares the folder looks like one that has ended, so its entries
are dropped too, and it must not fail for that. The list keeps the runs of one machine apart; the
jobs of a cluster are kept apart by Snakemake, which runs each stage once.
"""

import io
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TextIO

import dvc.rwlock
from voluptuous import Invalid

from hw2.runtime import process

LIST = ".dvc/tmp/rwlock"
_STARTED = re.compile(r" \(process start (\S+)\)$")  # in `cmd`: DVC's schema allows no new key
_dvc_edit = dvc.rwlock._edit_rwlock
_dvc_rwlock = dvc.rwlock.rwlock
_dvc_release_read = dvc.rwlock._release_read
_dvc_release_write = dvc.rwlock._release_write


def guard() -> None:
    """Make DVC keep the list safely in this process; further calls change nothing."""
    dvc.rwlock._edit_rwlock = _edit
    dvc.rwlock.rwlock = _rwlock
    dvc.rwlock._release_read = _release_read
    dvc.rwlock._release_write = _release_write


def _edit(lock_dir: str, fs: Any, hardlink: bool) -> AbstractContextManager[Any]:
    return _dvc_edit(lock_dir, _Files(fs), hardlink)


def _rwlock(
    tmp_dir: str, fs: Any, cmd: str, read: list[str], write: list[str], hardlink: bool
) -> AbstractContextManager[None]:
    stamp = process.start_stamp(os.getpid())
    command = f"{cmd} (process start {stamp})" if stamp else cmd
    return _dvc_rwlock(tmp_dir, fs, command, read, write, hardlink)


def _release_read(lock: dict[str, Any], info: dict[str, Any], paths: list[str]) -> None:
    readers = lock.get("read", {})
    _dvc_release_read(lock, info, [path for path in paths if info in readers.get(path, [])])


def _release_write(lock: dict[str, Any], info: dict[str, Any], paths: list[str]) -> None:
    owners = lock.get("write", {})
    _dvc_release_write(lock, info, [path for path in paths if owners.get(path) == info])


class _Files:
    """What DVC needs of a file system to read and write the list."""

    def __init__(self, fs: Any) -> None:
        self.join = fs.join

    def open(self, path: str, mode: str = "r", **_: Any) -> AbstractContextManager[TextIO]:
        if "w" in mode:
            return _replacing(Path(path))
        return io.StringIO(json.dumps(_live_entries(Path(path))))


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    # DVC's lock is held, so there is one writer. No fsync: a damaged list is dropped anyway.
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        yield file
    temporary.replace(path)


def _live_entries(path: Path) -> dict[str, Any]:
    """Read the list without the entries of processes that have ended."""
    try:
        entries = dvc.rwlock.SCHEMA(json.loads(path.read_bytes()))
        written = path.stat().st_mtime
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError, Invalid):
        print(f"{path}: was damaged by a killed run or a full disk; dropped", file=sys.stderr)
        return {}
    readers = {
        file: [owner for owner in owners if _lives(owner, written)]
        for file, owners in entries["read"].items()
    }
    return {
        "write": {file: own for file, own in entries["write"].items() if _lives(own, written)},
        "read": {file: owners for file, owners in readers.items() if owners},
    }


def _lives(owner: dict[str, Any], written: float) -> bool:
    pid, command = owner["pid"], owner["cmd"]
    recorded = _STARTED.search(command)
    if recorded or not process.still_runs(pid, ""):
        return recorded is not None and process.still_runs(pid, recorded[1])
    # An entry of plain DVC: drop it if another program started after the entry was written.
    started = process.start_time(pid)
    same_command = command.partition(" ")[2] in " ".join(process.arguments(pid))
    return same_command or started is None or started <= written

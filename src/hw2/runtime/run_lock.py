"""One writer per folder: a lock that ends with its process, however that dies."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hw2.runtime import process
from hw2.runtime.errors import UserError

POLL_SECONDS = 0.1
log = logging.getLogger(__name__)


@contextmanager
def hold(folder: str | Path, wait_seconds: float = 30) -> Iterator[None]:
    """Be the only process that writes to `folder`; wait for another for up to `wait_seconds`.

    The lock is the kernel's (flock on `folder`/lock), so nothing stale is left by a crash. The
    file itself stays: removing it would let two processes lock two files of the same name. It
    holds the id and the start of its owner's process, for messages.

    Raises:
        UserError: if another process still holds the folder, with its process id.
    """
    path = Path(folder) / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be opened ({error.strerror}); correct the rights"
        ) from error
    try:
        _acquire(handle, path, wait_seconds)
        os.ftruncate(handle, 0)
        os.pwrite(handle, _owner_line().encode(), 0)
        yield
    finally:
        os.close(handle)  # releases the lock


def refusal(folder: str | Path) -> str | None:
    """Why `hold` would wait for `folder` now, as one line; None if the folder is free.

    Nothing is written. The lock is taken for an instant, for which a run that starts waits.

    Raises:
        UserError: if the lock's file cannot be opened.
    """
    path = Path(folder) / "lock"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(
            f"{path}: cannot be opened ({error.strerror}); correct the rights"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _refusal(path, *_owner(handle))
    finally:
        os.close(handle)
    return None


def _acquire(handle: int, path: Path, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    waiting = False
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner, stamp = _owner(handle)
        if time.monotonic() >= deadline:
            raise UserError(_refusal(path, owner, stamp))
        if not waiting:
            log.info("waiting for pid %s, which is writing to %s", owner or "unknown", path.parent)
            waiting = True
        time.sleep(POLL_SECONDS)


def _owner(handle: int) -> tuple[str, str]:
    """Process id and start of the owner, as `_owner_line` wrote them; empty if it did not yet."""
    pid, _, stamp = os.pread(handle, 64, 0).decode(errors="replace").strip().partition(" ")
    return pid, stamp


def _owner_line() -> str:
    return f"{os.getpid()} {process.start_stamp(os.getpid())}".rstrip() + "\n"


def _refusal(path: Path, owner: str, stamp: str) -> str:
    """Tell a live owner from one that ended, whose lock lives on in a child or on a file server."""
    if owner.isdecimal() and not process.still_runs(int(owner), stamp):
        return (
            f"{path.parent}: locked by a run that has ended (pid {owner}); stop its child"
            f" processes, or remove {path} if there are none"
        )
    return (
        f"{path.parent}: another run (pid {owner or 'unknown'}) is writing here; wait until it"
        f" ends, or stop it; if there is none, remove {path}"
    )

"""One writer per folder: a lock that ends with its process, however that dies."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hw2.runtime.errors import UserError

POLL_SECONDS = 0.1
log = logging.getLogger(__name__)


@contextmanager
def hold(folder: str | Path, wait_seconds: float = 30) -> Iterator[None]:
    """Be the only process that writes to `folder`; wait for another for up to `wait_seconds`.

    The lock is the kernel's (flock on `folder`/lock), so nothing stale is left by a crash. The
    file itself stays: removing it would let two processes lock two files of the same name.

    Raises:
        UserError: if another live process still holds the folder, with its process id.
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
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)  # releases the lock


def _acquire(handle: int, path: Path, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    waiting = False
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
        if time.monotonic() >= deadline:
            raise UserError(
                f"{path.parent}: another run (pid {owner}) is writing here;"
                " wait until it ends, or stop it"
            )
        if not waiting:
            log.info("waiting for pid %s, which is writing to %s", owner, path.parent)
            waiting = True
        time.sleep(POLL_SECONDS)

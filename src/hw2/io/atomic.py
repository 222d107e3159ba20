"""Files and folders that are complete or absent, whenever the process is killed."""

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hw2.runtime import process
from hw2.runtime.errors import UserError

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_open_here: set[Path] = set()


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary sibling to write; it becomes `path` when the block ends without error.

    Killed at any instant, the process leaves the old `path` or the new one, never a part. The
    sibling keeps the suffix of `path`, because writers of figures choose the format by it.

    Raises:
        UserError: if `path` exists and is not a regular file, or cannot be written.
    """
    target = Path(path)
    with _sibling(target, stat.S_ISREG, "a regular file") as temporary, _explained(target):
        temporary.touch(exist_ok=False)  # fails in an unwritable folder before any work
        mode = stat.S_IMODE(temporary.stat().st_mode)
        temporary.unlink()
        yield temporary
        os.chmod(temporary, mode)  # some writers leave 0600
        _sync(temporary)
        temporary.replace(target)
        _sync(target.parent)


@contextmanager
def atomic_dir(path: str | Path) -> Iterator[Path]:
    """Yield an empty temporary folder; it replaces the folder `path` when the block ends well.

    The old folder is removed only after the complete new folder has replaced it.

    Raises:
        UserError: if `path` exists and is not a folder, or cannot be written.
    """
    target = Path(path)
    with (
        _sibling(target, stat.S_ISDIR, "a folder") as temporary,
        _sibling(target, stat.S_ISDIR, "a folder") as old,
        _explained(target),
    ):
        temporary.mkdir()
        readable = stat.S_IMODE(temporary.stat().st_mode) & 0o444
        yield temporary
        for item in [*sorted(temporary.rglob("*")), temporary]:
            mode = stat.S_IMODE(item.lstat().st_mode)
            if item.is_file() and readable & ~mode:
                item.chmod(mode | readable)  # some writers leave 0600
            _sync(item)
        if target.exists():
            target.rename(old)
        try:
            temporary.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
        _sync(target.parent)


@contextmanager
def _sibling(target: Path, kind_is: Callable[[int], bool], kind: str) -> Iterator[Path]:
    """Yield an unused path beside `target`, which is removed at the end if it still exists."""
    with suppress(FileNotFoundError):
        if not kind_is(os.lstat(target).st_mode):
            raise UserError(f"{target}: exists and is not {kind}; move it away, it is not replaced")
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_litter(target.parent, target.name)
    unique = f"{os.getpid()}-{secrets.token_hex(4)}"
    temporary = target.parent / f".tmp-{target.name}-{unique}{target.suffix}"
    _open_here.add(temporary)
    try:
        yield temporary
    finally:
        with suppress(OSError):
            _remove(temporary)
        _open_here.discard(temporary)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Turn a disk error into a UserError. Other errors pass unchanged."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        reason = os.strerror(error.errno or 0)
        raise UserError(
            f"could not write {target}: {reason}. What was there before is unchanged;"
            " free some space or correct the permissions, then run again"
        ) from error


def remove_litter(folder: Path, name: str | None = None) -> None:
    """Remove temporary siblings (of `name`, or of all) in `folder` whose writer is dead."""
    which = re.escape(name) if name is not None else ".+"
    pattern = re.compile(rf"\.tmp-{which}-(\d+)-[0-9a-f]{{8}}(\..*)?")
    for item in folder.glob(".tmp-*"):
        match = pattern.fullmatch(item.name)
        if match and item not in _open_here and not _lives_elsewhere(int(match[1])):
            _remove(item)


def _lives_elsewhere(pid: int) -> bool:
    """Whether another live process has this id. Open files of this process are in _open_here."""
    return pid != os.getpid() and process.still_runs(pid, "")


def _remove(item: Path) -> None:
    if item.is_dir() and not item.is_symlink():
        shutil.rmtree(item, ignore_errors=True)
    else:
        item.unlink(missing_ok=True)


def _sync(item: Path) -> None:
    """Flush a file or folder to the disk. File systems that cannot flush a folder are tolerated."""
    handle = os.open(item, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if not (item.is_dir() and error.errno in {errno.EINVAL, errno.ENOTSUP}):
            raise
    finally:
        os.close(handle)

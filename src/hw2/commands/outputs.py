"""Outputs of commands: checked before anything slow is imported and before any work."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hw2.runtime.errors import UserError


def need_new_folder(out: Path, working_folder: Path) -> Path:
    """Check that the folder `out` can be made; existing files are never overwritten.

    Args:
        out: An absolute path.
        working_folder: Folder in which the user called the command.

    Returns:
        The folder to write: `out` with its links resolved, because the finished folder replaces an
        empty one, and would replace the link.

    Raises:
        UserError: if `out` is a file, holds files, lies below a file or in a folder that is not
            writable, or is a folder that cannot be replaced: a mount point or the working folder.
    """
    with _explained(out, "folder"):
        folder = out.resolve()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{out}: already holds files; choose a new or an empty folder")
        _need_replaceable(out, folder, working_folder)
    return folder


def need_folders(out: Path, names: Iterable[str], working_folder: Path) -> Path:
    """Check that the folders `names` can be made in the folder `out`, or replaced there.

    Args:
        out: An absolute path of a folder, which need not exist.
        names: The folders to write.
        working_folder: Folder in which the user called the command.

    Returns:
        `out` with its links resolved.

    Raises:
        UserError: if `out` or one of the folders is a file or, in `out`, a link; if it lies below a
            file or in a folder that is not writable; or if it is a mount point or the working
            folder.
    """
    with _explained(out, "folder"):
        folder = out.resolve()
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{out}: is a file; choose another folder")
        for name in names:
            written = folder / name
            if written.is_symlink() or (written.exists() and not written.is_dir()):
                kind = "a link" if written.is_symlink() else "a file"
                raise UserError(f"{out / name}: is {kind}; move it away, or choose another folder")
            _need_replaceable(out / name, written, working_folder)
    return folder


def need_file(out: Path) -> Path:
    """Check that the file `out` can be written; an existing file is replaced.

    Raises:
        UserError: if `out` is a folder, a link or another thing that is no file, lies below a file
            or in a folder that is not writable, or is a mount point.
    """
    with _explained(out, "file"):
        if out.is_symlink():
            raise UserError(f"{out}: is a link; name the file itself")
        file = out.resolve()
        if os.path.ismount(file):
            raise UserError(f"{out}: is a mount point; choose another file")
        if file.is_dir():
            raise UserError(f"{out}: is a folder; name a file in it")
        if file.exists() and not file.is_file():
            raise UserError(f"{out}: exists and is not a regular file; choose another file")
        _need_writable(out, file, "file")
    return file


@contextmanager
def _explained(out: Path, kind: str) -> Iterator[None]:
    """Turn an error of the file system, such as a name that is too long, into a UserError."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "a link to itself"
        raise UserError(f"{out}: cannot be read ({reason}); choose another {kind}") from error


def _need_replaceable(out: Path, folder: Path, working_folder: Path) -> None:
    if folder == working_folder.resolve():
        raise UserError(f"{out}: is the working folder; name a new folder in it")
    if os.path.ismount(folder):
        raise UserError(f"{out}: is a mount point; name a new folder in it")
    _need_writable(out, folder, "folder")


def _need_writable(out: Path, resolved: Path, kind: str) -> None:
    """Check the nearest folder above that exists: the temporary sibling is made there."""
    parent = next(path for path in resolved.parents if path.exists())
    if not parent.is_dir():
        raise UserError(f"{out}: {parent} is a file; choose another {kind}")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(f"{out}: {parent} is not writable; choose another {kind}")

"""Outputs of commands: checked before anything slow is imported and before any work."""

import os
from collections.abc import Iterable
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
    folder = _resolved(out, "folder")
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise UserError(
            f"{out}: cannot be read ({error.strerror}); choose another folder"
        ) from error
    if taken:
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
    folder = _resolved(out, "folder")
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
    if out.is_symlink():
        raise UserError(f"{out}: is a link; name the file itself")
    file = _resolved(out, "file")
    if os.path.ismount(file):
        raise UserError(f"{out}: is a mount point; choose another file")
    if file.is_dir():
        raise UserError(f"{out}: is a folder; name a file in it")
    if file.exists() and not file.is_file():
        raise UserError(f"{out}: exists and is not a regular file; choose another file")
    _need_writable(out, file, "file")
    return file


def _resolved(out: Path, kind: str) -> Path:
    try:
        return out.resolve()
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
    try:
        parent = next(path for path in resolved.parents if path.exists())
    except OSError as error:
        raise UserError(
            f"{out}: cannot be read ({error.strerror}); choose another {kind}"
        ) from error
    if not parent.is_dir():
        raise UserError(f"{out}: {parent} is a file; choose another {kind}")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(f"{out}: {parent} is not writable; choose another {kind}")

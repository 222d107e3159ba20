"""Output folders of commands: existing files are never overwritten."""

import os
from pathlib import Path

from hw2.runtime.errors import UserError


def need_new(out: Path, working_folder: Path) -> Path:
    """Check that the folder `out` can be made, before any work is done for it.

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
    try:
        folder = out.resolve()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{out}: already holds files; choose a new or an empty folder")
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "a link to itself"
        raise UserError(f"{out}: cannot be read ({reason}); choose another folder") from error
    if folder == working_folder.resolve():
        raise UserError(f"{out}: is the working folder; name a new folder in it")
    if os.path.ismount(folder):
        raise UserError(f"{out}: is a mount point; name a new folder in it")
    parent = next(path for path in folder.parents if path.exists())
    if not parent.is_dir():
        raise UserError(f"{out}: {parent} is a file; choose another folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(f"{out}: {parent} is not writable; choose another folder")
    return folder

"""Output folders of commands: existing files are never overwritten."""

from pathlib import Path

from hw2.runtime.errors import UserError


def need_new(out: Path) -> None:
    """Check that `out` is absent or an empty folder.

    Raises:
        UserError: if `out` is a file or holds files.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: already holds files; choose a new or an empty folder")

"""What all verbs that write a person's own folder have in common."""

from pathlib import Path

from hw2.runtime.errors import UserError


def need_new(out: Path) -> None:
    """See that nothing of a person's is replaced.

    Raises:
        UserError: if `out` holds something already.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: holds files already; name a new or an empty folder")

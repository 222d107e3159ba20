"""Removal of folders that are needed until the outputs of a stage are safe."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_waiting: list[Path] | None = None


def remove(folder: Path) -> None:
    """Remove a folder now, or at the end of the block of `deferred` that this is called in."""
    if _waiting is None:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _waiting.append(folder)


@contextmanager
def deferred() -> Iterator[None]:
    """Defer removals until the block ends; if it fails, nothing is removed."""
    global _waiting
    _waiting = []
    try:
        yield
        folders, _waiting = _waiting, None
        for folder in folders:
            remove(folder)
    finally:
        _waiting = None

"""What counts as a refusal of the disk, and that a check of a folder leaves no trace."""

import errno
from pathlib import Path

import pytest

from hw2.pipeline import disk
from hw2.runtime.errors import UserError


@pytest.mark.parametrize(
    ("error", "is_refusal"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (PermissionError(errno.EACCES, "Permission denied"), True),
        (RuntimeError("I/O error: No space left on device (os error 28)"), True),
        (FileNotFoundError(errno.ENOENT, "No such file"), False),
        (RuntimeError("I/O error: no such file (os error 2)"), False),
        (RuntimeError("size mismatch"), False),
    ],
)
def test_refusals(error: Exception, is_refusal: bool) -> None:
    assert disk.refused(error) == is_refusal
    wrapped = RuntimeError("could not save")
    wrapped.__cause__ = error
    assert disk.refused(wrapped) == is_refusal


def test_missing_folders_are_looked_for_above_and_nothing_is_left(tmp_path: Path) -> None:
    disk.check_writable([tmp_path / "a/b/model", tmp_path / "table.csv"])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file: no file can be written there \(Not a directory\)"):
        disk.check_writable([tmp_path / "file/model"])

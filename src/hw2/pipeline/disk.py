"""What a stage can say about the disk it writes to: before it starts, and when a library failed."""

import errno
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hw2.runtime.errors import UserError

REMEDY = "free some space or correct the permissions, then run again"
_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
# Libraries in Rust, as safetensors, raise errors of their own with the number in the text.
_RUST = re.compile(r"\(os error (\d+)\)")


def check_writable(outputs: Iterable[Path]) -> None:
    """Check that each output can be made where it belongs; nothing is left there.

    Raises:
        UserError: naming the folder that cannot be written to, so that no work is lost.
    """
    for folder in dict.fromkeys(_existing_parent(path) for path in outputs):
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise UserError(
                f"{folder}: no file can be written there ({error.strerror}); {REMEDY}"
            ) from error


def refused(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised from, is a refusal of the disk."""
    if error is None:
        return False
    match = _RUST.search(str(error))
    code = int(match[1]) if match else getattr(error, "errno", None)
    return code in _REFUSALS or refused(error.__cause__)


def _existing_parent(path: Path) -> Path:
    return next(parent for parent in path.absolute().parents if parent.exists())

"""Reading of given PyTorch files: tensors and plain values only, errors in one line."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from hw2.runtime.errors import UserError

_PAGES = (b"<!doctype", b"<html", b"<?xml")
_POINTER = b"version https://git-lfs"


def load(path: Path, remedy: str, *, placeholders: Sequence[tuple[Any, str]] = ()) -> Any:
    """What `torch.save` wrote, on the CPU.

    PyTorch's own errors explain how to load a file in spite of code in it; they are not shown.

    Args:
        path: The file.
        remedy: What to do if it is another file, as the end of a message.
        placeholders: Classes of the file's program, each with the full name that it replaces.

    Raises:
        UserError: if the file is missing, no file of PyTorch, or holds code, which is never run.
    """
    refuse_other_files(path, remedy)
    try:
        with torch.serialization.safe_globals(list(placeholders)):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises many exception types
        message = str(error)
        code = re.search(r"(?:GLOBAL|global) (\S+)", message)
        if "weights_only" in message.lower() and code:
            reason = f"it holds code ({code[1]}), which is not run"
        else:
            reason = f"damaged, cut or no file of PyTorch ({type(error).__name__})"
        raise UserError(f"{path}: {reason}; {remedy}") from error


def refuse_other_files(path: Path, remedy: str) -> None:
    """Refuse what a failed download leaves in place of a model.

    Raises:
        UserError: if the file cannot be read, is a web page, or a pointer of Git LFS.
    """
    try:
        with path.open("rb") as file:
            start = file.read(64).lstrip().lower()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {remedy}") from error
    if start.startswith(_PAGES):
        raise UserError(f"{path}: a web page, not a model; download it again, then {remedy}")
    if start.startswith(_POINTER):
        raise UserError(f"{path}: a pointer of Git LFS; fetch the file itself, then {remedy}")

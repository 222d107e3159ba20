"""Types of command line arguments."""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from hw2.config import loader
from hw2.runtime.errors import UserError


def absolute_path(text: str) -> Path:
    """An absolute path; it is read before `main` changes to the repository.

    A shell leaves the ~ of `--out=~/table.csv` to the program.
    """
    return Path(os.path.expanduser(text)).absolute()


def model_source(text: str) -> str:
    """An absolute path if it exists, otherwise the text as a hub id."""
    path = absolute_path(text)
    return str(path) if path.exists() else os.path.expanduser(text)


def need_among(option: str, value: str, names: Iterable[str], where: str) -> None:
    """Check that the value of an option is one of the names that params.yaml allows.

    Raises:
        UserError: with the nearest name, and where further ones are defined.
    """
    known = list(dict.fromkeys(names))
    if value not in known:
        hint = loader.nearest(value, known) if known else "add it"
        raise UserError(f"{option} {value}: not in {where}; {hint}")


def key_value(text: str) -> tuple[str, object]:
    """Split KEY=VALUE and read the value as YAML."""
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} should be KEY=VALUE")
    return key, loader.read_value(value)

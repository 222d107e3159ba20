"""Types of command line arguments."""

import argparse
from pathlib import Path

from hw2.config import loader


def absolute_path(text: str) -> Path:
    """An absolute path; it is read before `main` changes to the repository."""
    return Path(text).absolute()


def model_source(text: str) -> str:
    """An absolute path if it exists, otherwise the text as a hub id."""
    return str(absolute_path(text)) if Path(text).exists() else text


def key_value(text: str) -> tuple[str, object]:
    """Split KEY=VALUE and read the value as YAML."""
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} should be KEY=VALUE")
    return key, loader.read_value(value)

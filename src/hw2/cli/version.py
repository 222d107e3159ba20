"""The option `--version`."""

import argparse
import platform
from importlib import metadata
from typing import Any

PACKAGES = ("hw2", "torch", "torchvision")


class ShowVersion(argparse.Action):
    """Prints the versions of hw2, Python and PyTorch, which is not imported, and exits."""

    def __init__(self, option_strings: list[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(", ".join([*map(_version, PACKAGES), f"Python {platform.python_version()}"]))
        parser.exit()


def _version(package: str) -> str:
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return f"{package} not installed"

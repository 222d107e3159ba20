"""The manifest of a model folder: SHA-256 of its files, in the format of `sha256sum`."""

import hashlib
from pathlib import Path

from hw2.runtime.errors import UserError

NAME = "SHA256SUMS"
_UNLISTED = (NAME, "README.md")  # a card may be edited without a change of the model


def write(folder: Path) -> None:
    """Write the manifest of all files of `folder`, subfolders included, except its README.md."""
    lines = [f"{_sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in _files(folder)]
    (folder / NAME).write_text("".join(lines), encoding="utf-8")


def check(folder: Path) -> None:
    """Compare the files of `folder` with its manifest; a folder without one is not checked.

    Raises:
        UserError: naming the first file that is missing, changed, or not listed.
    """
    path = folder / NAME
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    remedy = f"restore it, for instance with `git checkout {folder}`"
    for name, digest in listed.items():
        if not (folder / name).is_file():
            raise UserError(f"{folder / name}: missing, but in {NAME}; {remedy}")
        if _sha256(folder / name) != digest:
            raise UserError(f"{folder / name}: its sha256 is not that of {NAME}; {remedy}")
    for file in _files(folder):
        if file.relative_to(folder).as_posix() not in listed:
            raise UserError(f"{file}: not in {NAME}; remove it, or {remedy}")


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.relative_to(folder).as_posix() not in _UNLISTED
        and not path.name.startswith(".")
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""MD5 of files and folders as DVC records them in dvc.lock.

MD5 names content here, as in DVC; it is no protection against somebody who wants to deceive.
A folder's hash is that of the JSON list of its files, each with its own hash, sorted by name:
`DIR_SUFFIX` marks it (https://dvc.org/doc/user-guide/project-structure/internal-files).
"""

import fnmatch
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from hw2.runtime.errors import UserError

DIR_SUFFIX = ".dir"
IGNORE_FILE = ".dvcignore"
_ALWAYS_IGNORED = (".git", ".hg", ".dvc")


def of_file(path: Path) -> str:
    """The MD5 of a file's bytes in hexadecimal.

    Raises:
        UserError: if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, _md5).hexdigest()
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({os.strerror(error.errno or 0)}); correct its permissions,"
            " or restore it"
        ) from error


def of_bytes(content: bytes) -> str:
    """The MD5 that a file with this content has."""
    return _md5(content).hexdigest()


def of_folder(path: Path, ignored: Sequence[str] = ()) -> str:
    """The MD5 of a folder: of its files, subfolders included, and their relative names.

    Args:
        path: The folder.
        ignored: Patterns of names that do not count, as `ignored_names` reads them.
    """
    return of_listing(folder_listing(path, ignored))


def folder_listing(path: Path, ignored: Sequence[str] = ()) -> dict[str, str]:
    """The MD5 of each file in a folder by its relative name with `/`."""
    return {name: of_file(path / name) for name in sorted(_names(path, ignored))}


def of_listing(listing: dict[str, str]) -> str:
    """The MD5 of a folder with these files, from name to MD5."""
    entries = [{"md5": listing[name], "relpath": name} for name in sorted(listing)]
    return _md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + DIR_SUFFIX


def of(path: Path, ignored: Sequence[str] = ()) -> str | None:
    """The MD5 of a file or folder; None if there is neither."""
    if path.is_dir():
        return of_folder(path, ignored)
    return of_file(path) if path.is_file() else None


def ignored_names(root: Path = Path()) -> tuple[str, ...]:
    """The names, with wildcards, that `.dvcignore` leaves out in every folder.

    Patterns with a slash inside, and exceptions (`!`), are not followed.
    """
    path = root / IGNORE_FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    names = (line.strip().rstrip("/") for line in lines)
    return tuple(name for name in names if name and "/" not in name and name[0] not in "#!")


def _names(path: Path, ignored: Sequence[str]) -> Iterator[str]:
    patterns = (*_ALWAYS_IGNORED, *ignored)

    def counts(name: str) -> bool:
        return not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    for folder, subfolders, names in os.walk(path, followlinks=True):
        subfolders[:] = filter(counts, subfolders)
        top = Path(folder).relative_to(path)
        yield from ((top / name).as_posix() for name in filter(counts, names))


def _md5(content: bytes = b"") -> "hashlib._Hash":
    return hashlib.md5(content, usedforsecurity=False)

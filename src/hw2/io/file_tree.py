"""A folder or a zip archive as one read-only tree of files. Nothing is unpacked.

Names are relative, with `/` between the parts; the top is the empty name.
"""

import os
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hw2.runtime.errors import UserError

# Unpacked in small pieces. A piece of bz2 or lzma may become gigabytes, whatever size it states.
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Unreadable(Exception):
    """A file of the tree that cannot be read whole; the text says why."""


class Tree(ABC):
    """Files by name. Reading is safe from several threads."""

    @abstractmethod
    def folders(self, at: str) -> set[str]:
        """The names of the folders in folder `at`; none if it is not there."""

    @abstractmethod
    def files(self, at: str) -> set[str]:
        """The names of the regular files in folder `at`; none if it is not there."""

    @abstractmethod
    def read(self, name: str, limit: int) -> bytes:
        """A file's content.

        Raises:
            Unreadable: if it cannot be read, or has more than `limit` bytes.
        """

    def repeated(self, at: str) -> set[str]:
        """The names that occur more than once in folder `at`: only a zip can have them."""
        return set()


def is_hidden(name: str) -> bool:
    """Whether a file is not one of the user's: macOS and editors leave `._a.png`, `.DS_Store`."""
    return name.startswith(".")


def listed(folder: Path, suffixes: tuple[str, ...] = ()) -> list[Path]:
    """The files of a folder that are not hidden, sorted by name; none if there is no folder.

    Args:
        folder: The folder.
        suffixes: Accepted suffixes in lower case; without any, all files are listed.

    Raises:
        UserError: if the folder cannot be listed, or a name is not UTF-8.
    """
    names = (name for name in _Folder(folder).files("") if not is_hidden(name))
    paths = [folder / name for name in names]
    paths = sorted(p for p in paths if not suffixes or p.suffix.lower() in suffixes)
    check_names(folder, [path.name for path in paths])
    return paths


def check_names(folder: Path, names: Iterable[str]) -> None:
    """Check that names can be written into tables and records, which are UTF-8.

    Raises:
        UserError: naming the first one that cannot.
    """
    for name in names:
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            raise UserError(
                f"{folder}: the file name {os.fsencode(name)!r} is not UTF-8; rename it"
            )


def join(*parts: str) -> str:
    """Join the parts of a name with `/`, without the empty parts."""
    return "/".join(part for part in parts if part)


@contextmanager
def open_tree(path: Path, remedy: str) -> Iterator[Tree]:
    """Open a folder or a zip.

    Raises:
        UserError: if `path` is neither or is missing; the message ends with `remedy`.
    """
    if path.is_dir():
        yield _Folder(path)
        return
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise UserError(f"{path}: is not there; {remedy}") from None
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a whole zip archive ({error}); {remedy}") from error
    with archive:
        yield _Zip(archive)


class _Folder(Tree):
    def __init__(self, path: Path) -> None:
        self._root = str(path)

    def folders(self, at: str) -> set[str]:
        return {entry.name for entry in self._entries(at) if entry.is_dir()}

    def files(self, at: str) -> set[str]:
        # A pipe is not a regular file: opening it would block.
        return {entry.name for entry in self._entries(at) if entry.is_file()}

    def _entries(self, at: str) -> list[os.DirEntry[str]]:
        folder = os.path.join(self._root, at)
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise UserError(
                f"{folder}: cannot be listed ({error.strerror}); correct its rights"
            ) from error

    def read(self, name: str, limit: int) -> bytes:
        try:
            with open(f"{self._root}/{name}", "rb") as file:
                content = file.read(limit + 1)
        except OSError as error:
            raise Unreadable(f"cannot be read ({error.strerror})") from error
        return _within(limit, len(content), content)


class _Zip(Tree):
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._files: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._folders: defaultdict[str, set[str]] = defaultdict(set)
        for name in archive.namelist():
            folder, _, file = name.rpartition("/")
            self._add_folder(folder)
            if file:
                self._files[folder][file] += 1

    def _add_folder(self, folder: str) -> None:
        """Enter a folder in the one above it, and so on up to the top."""
        while folder:
            above, _, name = folder.rpartition("/")
            if name in self._folders[above]:
                return
            self._folders[above].add(name)
            folder = above

    def folders(self, at: str) -> set[str]:
        return set(self._folders.get(at, ()))

    def files(self, at: str) -> set[str]:
        return set(self._files.get(at, ()))

    def repeated(self, at: str) -> set[str]:
        return {name for name, count in self._files.get(at, Counter()).items() if count > 1}

    def read(self, name: str, limit: int) -> bytes:
        try:
            info = self._archive.getinfo(name)
            if info.compress_type not in _BOUNDED:
                raise Unreadable("is packed by another method than deflate")
            _within(limit, info.file_size)  # before anything is unpacked
            return self._archive.read(info)
        # RuntimeError: encrypted. NotImplementedError: an unknown compression.
        except (KeyError, OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise Unreadable(f"cannot be read ({error})") from error
        except zlib.error as error:
            raise Unreadable(f"cannot be unpacked ({error})") from error


def _within(limit: int, size: int, content: bytes = b"") -> bytes:
    if size > limit:
        raise Unreadable(f"has more than {limit} bytes")
    return content

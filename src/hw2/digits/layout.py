"""The course's layout of the digits, in a folder or a zip.

digits/<domain>/data/<name>.png       28x28, RGB, or gray; other squares are made 28x28
digits/<domain>/{train,val,test}.csv  header image_name,label

The tables and domains differ from year to year. `digits` is at the top or one folder below it
(`hw2_data`), or it is the given path itself.
"""

import posixpath
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from hw2.digits import decode, domains
from hw2.digits import label_tables as tables
from hw2.digits.arrays import Digits
from hw2.digits.decode import BadImage, Decoded
from hw2.digits.faults import Fault
from hw2.digits.label_tables import Table
from hw2.digits.resize import SIZE
from hw2.io.file_tree import Tree, Unreadable, is_hidden, join, open_tree
from hw2.runtime.errors import UserError

TABLES = ("train", "val", "test")

_IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_CHUNK = 512
"""Images that a thread decodes at a time."""
_THREADS = 2
"""Threads hide the latency of a disk. With the files in memory one thread is as fast, because the
work is in short pieces between which Python's lock is held."""


@dataclass(frozen=True)
class Layout:
    """The digits in a tree; `at` is the name of its folder `digits`."""

    tree: Tree
    at: str

    @property
    def domains(self) -> list[str]:
        """The folders that have a table or a folder `data`, sorted by name."""
        return [d for d in sorted(self.tree.folders(self.at)) if not _is_litter(d) and self._has(d)]

    def _has(self, domain: str) -> bool:
        return bool(self.tables(domain)) or "data" in self.tree.folders(join(self.at, domain))

    def tables(self, domain: str) -> list[str]:
        """The tables of a domain, among train, val and test."""
        files = self.tree.files(join(self.at, domain))
        return [table for table in TABLES if f"{table}.csv" in files]

    def path(self, domain: str, *below: str) -> str:
        """The path of a file or folder of a domain in the tree."""
        return join(self.at, domain, *below)

    def table(self, domain: str, table: str) -> Table:
        """Read one table."""
        path = self.path(domain, f"{table}.csv")
        try:
            return tables.parse(self.tree.read(path, tables.MAX_BYTES), path)
        except Unreadable as error:
            return Table(faults=[Fault("no CSV", path, str(error))])

    def form(self, domain: str) -> set[str]:
        """The names in a test.csv that is a blank answer form; none if there is no test.csv."""
        try:
            return tables.named(self.tree.read(self.path(domain, "test.csv"), tables.MAX_BYTES))
        except Unreadable:
            return set()

    def files(self, domain: str) -> set[str]:
        """The names in a domain's folder `data`."""
        return self.tree.files(self.path(domain, "data"))

    def images(self, domain: str, names: Sequence[str]) -> Iterator[tuple[str, Decoded | BadImage]]:
        """Decode images in the order of `names`, a few chunks in advance."""

        def job(start: int) -> list[Decoded | BadImage]:
            some = names[start : start + _CHUNK]
            return self._decoded([self.path(domain, "data", name) for name in some])

        done = _ahead(job, range(0, len(names), _CHUNK))
        yield from zip(names, (image for chunk in done for image in chunk), strict=True)

    def _decoded(self, paths: Sequence[str]) -> list[Decoded | BadImage]:
        contents: dict[int, bytes] = {}
        results: dict[int, Decoded | BadImage] = {}
        for k, path in enumerate(paths):
            try:
                contents[k] = self.tree.read(path, decode.MAX_BYTES)
            except Unreadable as error:
                results[k] = BadImage("damaged image", str(error))
        results |= zip(contents, decode.decode_all(list(contents.values())), strict=True)
        return [results[k] for k in range(len(paths))]

    def read(
        self,
        domain: str,
        names: Sequence[str],
        digits: Sequence[int],
        tick: Callable[[int], None] = lambda done: None,
    ) -> Digits:
        """Decode the named images with their labels; `tick` is called after each image.

        The result has one channel if all these images are gray and the domain is grayscale in
        `domains`, otherwise three.

        Raises:
            BadImage: for the first image that cannot be used, naming its file.
        """
        images = np.empty((len(names), SIZE, SIZE, 3), np.uint8)
        gray = domain in domains.DOMAINS and domains.DOMAINS[domain].grayscale
        for k, (name, image) in enumerate(self.images(domain, names)):
            if isinstance(image, BadImage):
                path = self.path(domain, "data", name)
                raise BadImage(image.kind, f"{path}: {image}") from image
            images[k] = image.pixels  # one channel is repeated
            gray = gray and image.pixels.shape[-1] == 1
            tick(1)
        if gray:
            images = np.ascontiguousarray(images[..., :1])
        return Digits(images, np.array(digits, np.int64))


@contextmanager
def find(path: Path, remedy: str) -> Iterator[Layout]:
    """Open a folder or zip and locate its digits.

    Raises:
        UserError: if the path does not exist, or holds no digits; the message ends with `remedy`.
    """
    with open_tree(path, remedy) as tree:
        tops = sorted(top for top in tree.folders("") if not _is_litter(top))
        for at in ("digits", *(f"{top}/digits" for top in tops), ""):
            if Layout(tree, at).domains:
                yield Layout(tree, at)
                return
        raise UserError(f"{path}: has no digits/<domain>/train.csv; {remedy}")


def is_image(name: str) -> bool:
    """Whether a file in `data` is an image by its name; other programs' hidden files are not."""
    return not _is_litter(name) and posixpath.splitext(name)[1].lower() in _IMAGES


def _is_litter(name: str) -> bool:
    return is_hidden(name) or name == "__MACOSX"


def _ahead(
    job: Callable[[int], list[Decoded | BadImage]], starts: Sequence[int]
) -> Iterator[list[Decoded | BadImage]]:
    """The results of `job` in order; only a few run in advance, to limit the memory."""
    with ThreadPoolExecutor(_THREADS) as pool:
        left = iter(starts)
        pending = deque(pool.submit(job, start) for start in islice(left, _THREADS + 1))
        while pending:
            yield pending.popleft().result()
            pending.extend(pool.submit(job, start) for start in islice(left, 1))

"""Digits of the public data sets at 28x28."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from hw2.config import params
from hw2.digits import domains, splits
from hw2.digits.arrays import Digits
from hw2.digits.labels import SPLITS
from hw2.digits.resize import resized
from hw2.digits.sources.source import TABLES, PublicSource
from hw2.io import download
from hw2.runtime.errors import UserError


def files(keys: Iterable[str]) -> list[download.Remote]:
    """The files of these domains, each once."""
    return list(dict.fromkeys(file for key in keys for file in _source(key).files))


def fetch(keys: Iterable[str], raw: Path) -> None:
    """Make the files of these domains available in the folder `raw`; download what is missing.

    Raises:
        UserError: if a file cannot be downloaded, or another file has its name.
    """
    for remote in files(keys):
        download.get(remote, raw)


def contents(data: params.Data, raw: Path) -> Iterator[tuple[str, str, Digits]]:
    """Every split of every domain of `data`, from the files in `raw`.

    Yields `(domain, split, digits)`; images are uint8 (N, 28, 28, 1) for a grayscale domain, else
    (N, 28, 28, 3).

    Raises:
        UserError: if a file is missing or damaged, or a split would be empty.
    """
    for key in data.domains:
        source = _source(key)
        tables = {table: _whole_table(key, source, raw, table) for table in TABLES}
        sizes = {table: len(digits.digits) for table, digits in tables.items()}
        divided = splits.divide(sizes, data, source.divided_as)
        blend = source.blender(raw, data.seed) if source.blender else None
        for split in SPLITS:
            table, rows = tables[divided[split].table], divided[split].rows
            images = table.images[rows]
            if blend:
                images = blend(split, images, rows)
            yield (
                key,
                split,
                Digits(np.stack([resized(image) for image in images]), table.digits[rows]),
            )


def _source(key: str) -> PublicSource:
    source = domains.DOMAINS[key].public
    assert source is not None, key  # checked by `domains.require`
    return source


def _whole_table(key: str, source: PublicSource, raw: Path, table: str) -> Digits:
    """Read a table in the data set's image size, and check the number of images."""
    digits = source.read(raw, table)
    expected = source.images[table]
    if not len(digits.images) == len(digits.digits) == expected:
        raise UserError(
            f"{raw}: the {table} table of {key} has {len(digits.images)} images and"
            f" {len(digits.digits)} labels, not {expected}; delete its files, then they are"
            " downloaded again"
        )
    return digits

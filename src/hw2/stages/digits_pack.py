"""Decode the archive of digits once, into arrays."""

from pathlib import Path

from hw2.digits import archive, arrays
from hw2.io.atomic import atomic_dir


def run(*, digits_archive: Path, digits_arrays: Path) -> None:
    """Write `digits_arrays` with two arrays for each domain and split of the archive
    `digits_archive`.
    """
    with atomic_dir(digits_arrays) as folder:
        for domain, split, data in archive.read(digits_archive):
            arrays.save(folder, domain, split, data)

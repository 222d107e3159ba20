"""Decode the archive of digits once and store its images as arrays."""

from pathlib import Path

from hw2.digits import archive, arrays
from hw2.io.atomic import atomic_dir


def run(*, digits_archive: Path, digits_arrays: Path) -> None:
    """Write two arrays, images and digits, for each domain and split to `digits_arrays`."""
    with atomic_dir(digits_arrays) as folder:
        for domain, split, data in archive.read(digits_archive):
            arrays.save(folder, domain, split, data)

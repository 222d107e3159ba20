"""Decode the archive of digits once, into arrays."""

from pathlib import Path

from hw2.digits import archive, arrays
from hw2.io.atomic import atomic_dir


def run(*, digits: Path, packed_dir: Path) -> None:
    """Write `packed_dir` with two arrays for each domain and part of the archive `digits`."""
    with atomic_dir(packed_dir) as folder:
        for domain, part, data in archive.read(digits):
            arrays.save(folder, domain, part, data)

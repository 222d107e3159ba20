"""The IDX format of MNIST and EMNIST: gzip-compressed arrays of bytes."""

import gzip
import math
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from hw2.digits.sources.source import damaged

MAX_BYTES = 1 << 30
"""Of an uncompressed file; the largest one has a fifth of it."""


def read(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read a compressed IDX file with items of `shape`: uint8 (N, *shape).

    Raises:
        UserError: if the file is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            return parse(file, path, shape)
    except OSError as error:
        raise damaged(path, error) from error


def parse(compressed: IO[bytes], path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read a compressed IDX array from a stream; `path` is the file in error messages.

    The header is big-endian: 0, 0, 8 for bytes, the number of dimensions, and each dimension.
    """
    try:
        with gzip.open(compressed) as file:
            data = file.read(MAX_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, error) from error
    dimensions = 1 + len(shape)
    header = 4 + 4 * dimensions
    if len(data) < header or data[:4] != bytes([0, 0, 8, dimensions]):
        raise damaged(path, f"it begins with {data[:header].hex() or 'nothing'}")
    sizes = tuple(np.frombuffer(data, ">u4", dimensions, offset=4).tolist())
    if sizes[1:] != shape:
        raise damaged(path, f"it holds {sizes}, not images of {shape}")
    if len(data) != header + math.prod(sizes):
        raise damaged(path, f"{len(data)} bytes, not {header + math.prod(sizes)}")
    return np.frombuffer(data, np.uint8, offset=header).reshape(sizes)

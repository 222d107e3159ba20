"""The public data sets as digits of 28x28: MNIST, SVHN, USPS, and MNIST-M made from MNIST.

MNIST-M is made by the recipe of Ganin et al. (2016, arXiv:1505.07818): |digit - patch|, channel by
channel, with a random patch of a BSDS500 training photograph. The digit is black and white there,
with ink wherever MNIST has any: on plain patches the published images are inverted exactly where
MNIST is above 0 (588 images compared, no pixel differs), and grey edges would give other means.
Images of another size are brought to 28x28 with Pillow's bilinear filter, which averages when it
reduces: the course's SVHN image at hand differs from that by 0.2 grey levels on average.
"""

import bz2
import gzip
import io
import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from hw2 import rng
from hw2.config import params
from hw2.digits import backgrounds as photos
from hw2.digits import catalogue, splits
from hw2.digits.arrays import Digits
from hw2.digits.labels import NUM_DIGITS, SPLITS
from hw2.io import download
from hw2.runtime.errors import UserError

SIZE = 28
TABLES = ("train", "test")

_UNPACKED = 1 << 30  # bytes; the largest table has a fifth of it


def fetch(domains: Iterable[str], raw: Path) -> None:
    """Have the files of these domains in the folder `raw`, from there or from the internet.

    Raises:
        UserError: if a file cannot be had, or another one of its name is there.
    """
    for remote in dict.fromkeys(r for domain in domains for r in catalogue.needed(domain)):
        download.get(remote, raw)


def contents(data: params.Data, raw: Path) -> Iterator[tuple[str, str, Digits]]:
    """Every split of every domain of `data`, from the files in `raw`.

    Yields `(domain, split, digits)`; images are uint8 (N, 28, 28, 3), or (N, 28, 28, 1) for mnist
    and usps. MNIST-M is divided as MNIST is, so a source digit is in the same split of both.

    Raises:
        UserError: if a file is missing or damaged, or a split would be empty.
    """
    for domain in data.domains:
        source = "mnist" if domain == "mnistm" else domain
        tables = {table: _read(source, raw, table) for table in TABLES}
        sizes = {table: len(read.digits) for table, read in tables.items()}
        photos_of = photos.by_split(raw, data.seed, SIZE) if domain == "mnistm" else {}
        for split, chosen in sorted(splits.divide(sizes, data, source).items(), key=_split_order):
            read = tables[chosen.table]
            images = read.images[chosen.rows]
            if domain == "mnistm":
                images = _blended(images, photos_of[split], data.seed, split, chosen.rows)
            yield domain, split, Digits(_scaled(images), read.digits[chosen.rows])


def _split_order(item: tuple[str, splits.Rows]) -> int:
    return SPLITS.index(item[0])


def _read(domain: str, raw: Path, table: str) -> Digits:
    """A whole table, in the set's own image size, and with as many images as published."""
    found = _READERS[domain](raw, table)
    expected = catalogue.IMAGES[domain][table]
    if not len(found.images) == len(found.digits) == expected:
        raise UserError(
            f"{raw}: the {table} table of {domain} has {len(found.images)} images and"
            f" {len(found.digits)} labels, not {expected}; delete its files, then they are"
            " downloaded again"
        )
    return found


def _mnist(raw: Path, table: str) -> Digits:
    images, digits = (raw / remote.name for remote in catalogue.MNIST[table])
    return Digits(
        _idx(images, (SIZE, SIZE))[..., None],
        _labels(_idx(digits, ()), digits, range(NUM_DIGITS)),
    )


def _idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """A packed IDX file of bytes, items of `shape`: uint8 (N, *shape).

    The header is big-endian: 0, 0, 8 for bytes, the number of dimensions, and each dimension.
    """
    try:
        with gzip.open(path) as file:
            data = file.read(_UNPACKED)
    except (OSError, EOFError, zlib.error) as error:
        raise catalogue.damaged(path, error) from error
    dimensions = 1 + len(shape)
    header = 4 + 4 * dimensions
    if len(data) < header or data[:4] != bytes([0, 0, 8, dimensions]):
        raise catalogue.damaged(path, f"it begins with {data[:header].hex() or 'nothing'}")
    sizes = tuple(np.frombuffer(data, ">u4", dimensions, offset=4).tolist())
    if sizes[1:] != shape:
        raise catalogue.damaged(path, f"it holds {sizes}, not images of {shape}")
    if len(data) != header + math.prod(sizes):
        raise catalogue.damaged(path, f"{len(data)} bytes, not {header + math.prod(sizes)}")
    return np.frombuffer(data, np.uint8, offset=header).reshape(sizes)


def _svhn(raw: Path, table: str) -> Digits:
    from scipy.io import loadmat

    path = raw / catalogue.SVHN[table].name
    try:
        read = loadmat(str(path), variable_names=("X", "y"), appendmat=False)
        images, labels = np.moveaxis(read["X"], 3, 0), read["y"][:, 0]
    except Exception as error:  # a cut or altered file makes SciPy raise nearly anything
        raise catalogue.damaged(path, error) from error
    if images.dtype != np.uint8 or images.shape[1:] != (32, 32, 3):
        raise catalogue.damaged(path, f"images are {images.dtype} {images.shape}")
    digits = _labels(labels, path, range(NUM_DIGITS + 1))
    return Digits(images, digits % NUM_DIGITS)  # the digit zero has the label 10


def _usps(raw: Path, table: str) -> Digits:
    from sklearn.datasets import load_svmlight_file

    path = raw / catalogue.USPS[table].name
    try:
        with bz2.open(path) as file:
            text = file.read(_UNPACKED)
        pixels, labels = load_svmlight_file(io.BytesIO(text), n_features=256, zero_based=False)
    except (OSError, EOFError, ValueError) as error:
        raise catalogue.damaged(path, error) from error
    ink = pixels.toarray()
    if not (np.abs(ink) <= 1).all():  # NaN neither
        raise catalogue.damaged(path, f"pixels from {ink.min():g} to {ink.max():g}, not -1 to 1")
    images = np.rint((ink + 1) * 127.5).astype(np.uint8).reshape(-1, 16, 16, 1)
    return Digits(images, _labels(labels, path, range(1, NUM_DIGITS + 1)) - 1)


_READERS: dict[str, Callable[[Path, str], Digits]] = {
    "mnist": _mnist,
    "svhn": _svhn,
    "usps": _usps,
}


def _labels(found: np.ndarray, path: Path, allowed: range) -> np.ndarray:
    """Labels as int64 (N,), all of them among the allowed."""
    for row in np.flatnonzero(~np.isin(found, allowed))[:1]:
        raise catalogue.damaged(
            path, f"label {found[row]:g} of row {row} is not {allowed[0]} to {allowed[-1]}"
        )
    return found.astype(np.int64)


def _blended(
    images: np.ndarray, photos: list[np.ndarray], seed: int, split: str, rows: np.ndarray
) -> np.ndarray:
    """|ink - patch| for digits uint8 (N, 28, 28, 1): uint8 (N, 28, 28, 3).

    The ink is 255 where the digit is above 0, so a pixel is the patch's or its inverse. The
    patch depends on the digit's row in its table, not on which others are kept.
    """
    out = np.empty((len(images), SIZE, SIZE, 3), np.uint8)
    for k, row in enumerate(rows):
        random = rng.numpy_rng(seed, "mnistm", split, int(row))
        photo = photos[random.integers(len(photos))]
        top = random.integers(photo.shape[0] - SIZE + 1)
        left = random.integers(photo.shape[1] - SIZE + 1)
        patch = photo[top : top + SIZE, left : left + SIZE]
        out[k] = np.where(images[k] > 0, 255 - patch, patch)
    return out


def _scaled(images: np.ndarray) -> np.ndarray:
    """Images uint8 (N, S, S, C) at 28x28; Pillow counts in integers, alike on every machine."""
    if images.shape[1] == SIZE:
        return images
    out = np.empty((len(images), SIZE, SIZE, images.shape[-1]), np.uint8)
    for k, image in enumerate(images):
        picture = Image.fromarray(image if image.shape[-1] == 3 else image[..., 0])
        scaled = picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        out[k] = np.asarray(scaled).reshape(SIZE, SIZE, -1)
    return out

"""SVHN (Netzer et al., 2011): cropped house numbers, 32x32, in color."""

from pathlib import Path

import numpy as np

from hw2.digits.arrays import Digits
from hw2.digits.labels import NUM_DIGITS
from hw2.digits.sources.source import PublicSource, checked_labels, damaged
from hw2.io.download import Remote


def _remote(name: str, sha256: str, size: int, about: str) -> Remote:
    return Remote(
        name=name,
        urls=(f"https://ufldl.stanford.edu/housenumbers/{name}",),
        sha256=sha256,
        bytes=size,
        licence="non-commercial use only; cite Netzer et al. 2011",
        about=f"SVHN, {about}",
    )


FILES: dict[str, Remote] = {
    "train": _remote(
        "train_32x32.mat",
        "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        182_040_794,
        "cropped training digits",
    ),
    "test": _remote(
        "test_32x32.mat",
        "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        64_275_384,
        "cropped test digits",
    ),
}


def read(raw: Path, table: str) -> Digits:
    """All digits of a table: images uint8 (N, 32, 32, 3)."""
    from scipy.io import loadmat

    path = raw / FILES[table].name
    try:
        content = loadmat(str(path), variable_names=("X", "y"), appendmat=False)
        images, labels = np.moveaxis(content["X"], 3, 0), content["y"][:, 0]
    except Exception as error:  # SciPy raises many exception types for damaged files
        raise damaged(path, error) from error
    if images.dtype != np.uint8 or images.shape[1:] != (32, 32, 3):
        raise damaged(path, f"images are {images.dtype} {images.shape}")
    digits = checked_labels(labels, path, range(NUM_DIGITS + 1))
    return Digits(images, digits % NUM_DIGITS)  # the digit zero has the label 10


SOURCE = PublicSource(
    files=tuple(FILES.values()),
    read=read,
    images={"train": 73_257, "test": 26_032},
    divided_as="svhn",
)

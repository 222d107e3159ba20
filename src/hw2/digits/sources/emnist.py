"""EMNIST digits (Cohen et al., 2017, arXiv:1702.05373): 28x28, light on black, from NIST SD 19.

NIST publishes all variants of EMNIST in one archive, of which the variant `digits` is read. Its
images are stored transposed. MNIST was also made from parts of SD 19, so the two sets may share
digits.
"""

import zipfile
from pathlib import Path

import numpy as np

from hw2.digits.arrays import Digits
from hw2.digits.labels import NUM_DIGITS
from hw2.digits.sources import idx
from hw2.digits.sources.source import PublicSource, checked_labels, damaged
from hw2.io.download import Remote

SIZE = 28

# TensorFlow Datasets and MLDatasets.jl publish this size and sha256 for the archive.
ARCHIVE = Remote(
    name="emnist_gzip.zip",
    urls=(
        "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
        "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip",
    ),
    sha256="fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
    bytes=561_753_746,
    licence="none stated by NIST; cite Cohen et al. 2017",
    about="EMNIST, all variants",
)


def read(raw: Path, table: str) -> Digits:
    """All digits of a table, upright: images uint8 (N, 28, 28, 1)."""
    path = raw / ARCHIVE.name
    try:
        with zipfile.ZipFile(path) as archive:
            images = _array(archive, path, f"{table}-images-idx3", (SIZE, SIZE))
            labels = _array(archive, path, f"{table}-labels-idx1", ())
    except (OSError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise damaged(path, error) from error
    upright = np.ascontiguousarray(images.transpose(0, 2, 1))[..., None]
    return Digits(upright, checked_labels(labels, path, range(NUM_DIGITS)))


def _array(archive: zipfile.ZipFile, path: Path, name: str, shape: tuple[int, ...]) -> np.ndarray:
    with archive.open(f"gzip/emnist-digits-{name}-ubyte.gz") as member:
        return idx.parse(member, path, shape)


SOURCE = PublicSource(
    files=(ARCHIVE,),
    read=read,
    images={"train": 240_000, "test": 40_000},
    divided_as="emnist",
)

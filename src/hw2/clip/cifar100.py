"""The test images of CIFAR-100 (Krizhevsky, 2009) of the 50 classes that the course hands out.

The course's images are of these classes; whether they are among these 5,000 is not known. The
binary archive is read, because the one for Python holds pickles.
"""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hw2.io import download
from hw2.io.download import Remote
from hw2.runtime.errors import UserError

# The sha256 is that of several public loaders, among them those of MLDatasets.jl and gomlx.
ARCHIVE = Remote(
    name="cifar-100-binary.tar.gz",
    urls=("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",),
    sha256="58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    bytes=None,
    licence="no terms are stated; cite Krizhevsky 2009",
    about="CIFAR-100, images for CLIP",
)

CLASSES = (
    *("bicycle", "chair", "camel", "rabbit", "lamp", "clock", "forest", "fox", "porcupine", "bed"),
    *("baby", "dinosaur", "skyscraper", "willow_tree", "apple", "raccoon", "skunk", "kangaroo"),
    *("oak_tree", "worm", "beetle", "wardrobe", "possum", "pine_tree", "house", "wolf", "rose"),
    *("bee", "dolphin", "woman", "mushroom", "television", "bus", "mouse", "castle", "boy"),
    *("lizard", "sweet_pepper", "mountain", "palm_tree", "couch", "girl", "cup", "crab"),
    *("elephant", "lion", "streetcar", "otter", "shrew", "sunflower"),
)
"""Names of the classes, in the order of the course's ids."""

_FOLDER = "cifar-100-binary"
_SIDE = 32
_RECORD = 2 + 3 * _SIDE**2  # bytes: the coarse label, the fine label, and the planes of R, G and B


def images(raw: Path) -> Iterator[tuple[int, np.ndarray]]:
    """The class, an index into `CLASSES`, and the pixels uint8 (32, 32, 3) of each test image.

    The archive is downloaded into `raw` if it is not there.

    Raises:
        UserError: if it cannot be downloaded, or is not the published one.
    """
    path = download.get(ARCHIVE, raw)
    names = _member(path, "fine_label_names.txt").decode().split()
    records = np.frombuffer(_member(path, "test.bin"), np.uint8)
    absent = [name for name in CLASSES if name not in names]
    if absent or records.size % _RECORD:
        what = f"no class {absent[0]}" if absent else f"{records.size} bytes of test images"
        raise UserError(f"{path}: {what}; delete it, then it is downloaded again")
    class_of = {names.index(name): k for k, name in enumerate(CLASSES)}
    for record in records.reshape(-1, _RECORD):
        if int(record[1]) in class_of:
            pixels = record[2:].reshape(3, _SIDE, _SIDE).transpose(1, 2, 0)
            yield class_of[int(record[1])], pixels


def _member(path: Path, name: str) -> bytes:
    try:
        with tarfile.open(path) as archive:
            file = archive.extractfile(f"{_FOLDER}/{name}")
            assert file is not None, name  # a regular file of the verified archive
            return file.read()
    except (OSError, KeyError, EOFError, zlib.error, tarfile.TarError) as error:
        raise UserError(
            f"{path}: {name} cannot be read ({error}); delete it, then it is downloaded again"
        ) from error

"""The training photographs of BSDS500 (Arbelaez et al., 2011), divided by split."""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from hw2 import rng
from hw2.digits.sources.source import damaged
from hw2.io import images
from hw2.io.download import Remote
from hw2.runtime.errors import UserError

ARCHIVE = Remote(
    name="BSR_bsds500.tgz",
    urls=tuple(
        f"https://{host}.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz"
        for host in ("www2", "www")
    ),
    sha256="97e49d31764f3912f0c4122707d53062ac9e783ba0f095e447a4d53c1a41af8e",
    bytes=70_763_455,
    licence="non-commercial research and education; cite Arbelaez et al. 2011",
    about="BSDS500, photographs for MNIST-M",
)

PHOTOS = 200
"""Photographs in the training set."""

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
"""No photograph is in two splits, so no patch of the test split can have been trained on."""


def by_split(raw: Path, seed: int, least: int) -> dict[str, list[np.ndarray]]:
    """The training photographs of each split: uint8 (H, W, 3) each, H and W at least `least`.

    Raises:
        UserError: if the archive in `raw` is missing or damaged, or a photograph is too small.
    """
    path = raw / ARCHIVE.name
    jpegs = dict(members(path, "train", ".jpg"))
    if len(jpegs) != PHOTOS:
        raise damaged(path, f"{len(jpegs)} training photographs, not {PHOTOS}")
    photographs = [_decoded(path, name, jpeg, least) for name, jpeg in sorted(jpegs.items())]
    order = rng.numpy_rng(seed, "photos").permutation(len(photographs))
    ends = np.rint(np.cumsum(list(SHARES.values())) * len(photographs)).astype(int)
    chosen = np.split(order, ends[:-1])
    return {
        split: [photographs[k] for k in rows] for split, rows in zip(SHARES, chosen, strict=True)
    }


def members(
    path: Path, folder: str, suffix: str, limit: int = 1 << 28
) -> Iterator[tuple[str, bytes]]:
    """The regular files of a tar archive that lie in a folder of this name: name and content.

    Nothing is written to the disk, so links and `..` in an archive have no effect.

    Args:
        path: A tar archive, compressed or not.
        folder: The name of the files' folder.
        suffix: The suffix of the files' names.
        limit: Largest total size of the files in bytes.

    Raises:
        UserError: if the archive is damaged, or holds more than `limit`.
    """
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if not (member.isreg() and name.parent.name == folder and name.suffix == suffix):
                    continue
                limit -= member.size
                if limit < 0:
                    raise UserError(f"{path}: unpacks to more than it should; do not use it")
                file = archive.extractfile(member)
                assert file is not None  # a regular file
                yield member.name, file.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        reason = " ".join(str(error).split())  # tarfile lists every compression it tried
        raise UserError(
            f"{path}: not a whole tar archive ({reason}); delete it, then it is downloaded again"
        ) from error


def _decoded(path: Path, name: str, jpeg: bytes, least: int) -> np.ndarray:
    try:
        # As stored: only their colors matter, and turning them would change the digits.
        photograph = images.decode(jpeg, formats=("JPEG",), upright=False)
    except images.UnreadableImage as error:
        raise damaged(path, f"{name}: {error}") from error
    if min(photograph.shape[:2]) < least:
        raise damaged(path, f"{name} is smaller than {least}x{least}")
    return photograph

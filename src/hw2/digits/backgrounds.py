"""BSDS500's photographs, read from the archive into memory, divided by split."""

import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from hw2 import rng
from hw2.digits import catalogue
from hw2.runtime.errors import UserError

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
"""No photograph is in two splits, or a patch of the test split could have been trained on."""


def by_split(raw: Path, seed: int, least: int) -> dict[str, list[np.ndarray]]:
    """The training photographs of each split: uint8 (H, W, 3) each, H and W `least` or more.

    Raises:
        UserError: if the archive in `raw` is missing or damaged, or a photograph is too small.
    """
    path = raw / catalogue.BSDS500.name
    found = dict(members(path, "train", ".jpg"))
    if len(found) != catalogue.PHOTOS:
        raise catalogue.damaged(path, f"{len(found)} training photographs, not {catalogue.PHOTOS}")
    every = [_decoded(path, name, jpeg, least) for name, jpeg in sorted(found.items())]
    order = rng.numpy_rng(seed, "photos").permutation(len(every))
    ends = np.rint(np.cumsum(list(SHARES.values())) * len(every)).astype(int)
    chosen = np.split(order, ends[:-1])
    return {split: [every[k] for k in rows] for split, rows in zip(SHARES, chosen, strict=True)}


def members(
    path: Path, folder: str, suffix: str, limit: int = 1 << 28
) -> Iterator[tuple[str, bytes]]:
    """The regular files of a tar archive that lie in a folder of this name: name and content.

    Nothing is written to the disk, so what links and `..` in an archive point at is never
    touched.

    Args:
        path: A tar archive, packed or not.
        folder: The last folder of the wanted files' names.
        suffix: How their names end.
        limit: Bytes that all of them together may have.

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
                assert file is not None  # it is regular
                yield member.name, file.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        why = " ".join(str(error).split())  # tarfile lists every packing it tried
        raise UserError(
            f"{path}: not a whole tar archive ({why}); delete it, then it is downloaded again"
        ) from error


def _decoded(path: Path, name: str, jpeg: bytes, least: int) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            photo = np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise catalogue.damaged(path, f"{name}: {error}") from error
    if min(photo.shape[:2]) < least:
        raise catalogue.damaged(path, f"{name} is smaller than {least}x{least}")
    return photo

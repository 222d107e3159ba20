"""The archive of digits: a zip file in the course's layout that is divided into splits.

A single archive replaces tens of thousands of files, which are slow in DVC and file systems.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from hw2.digits.arrays import Digits
from hw2.digits.decode import BadImage
from hw2.digits.labels import SPLITS
from hw2.digits.layout import find
from hw2.runtime.errors import UserError

_REMEDY = "run `dvc repro digits_fetch`"


def write(path: Path, contents: Iterable[tuple[str, str, Digits]]) -> None:
    """Write an archive of (domain, split, digits); the same contents give the same bytes."""
    numbers: dict[str, int] = {}
    with zipfile.ZipFile(path, "w") as archive:
        for domain, split, data in contents:
            rows = []
            for image, digit in zip(data.images, data.digits, strict=True):
                name = f"{numbers.setdefault(domain, 0):05d}.png"
                numbers[domain] += 1
                _add(archive, f"digits/{domain}/data/{name}", _png(image))
                rows.append(f"{name},{digit}")
            table = "\n".join(["image_name,label", *rows, ""])
            _add(archive, f"digits/{domain}/{split}.csv", table.encode())


def read(path: Path) -> Iterator[tuple[str, str, Digits]]:
    """Read an archive as (domain, split, digits), for all its domains and splits.

    Raises:
        UserError: if it is not a zip file, or one of its tables or images is damaged.
    """
    with find(path, _REMEDY) as layout:
        for domain in layout.domains:
            for split in SPLITS:
                if split not in layout.tables(domain):
                    continue
                table = layout.table(domain, split)
                if table.faults:
                    raise UserError(f"{path}: {table.faults[0]}, or {_REMEDY}")
                try:
                    digits = layout.read(domain, table.names, table.digits)
                except BadImage as error:
                    raise UserError(f"{path}: {error}; {_REMEDY}") from error
                yield domain, split, digits


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image if image.shape[-1] == 3 else image[..., 0]).save(
        buffer, "PNG", compress_level=1
    )
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name), content)  # ZipInfo's date is 1980: reproducible

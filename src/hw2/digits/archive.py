"""The course's layout of the digits, in one zip file.

digits/<domain>/data/<number>.png    28x28, RGB, or grey for usps
digits/<domain>/{train,val,test}.csv  header image_name,label

The parts `select` and `report` are the course's `val` and `test`. One archive instead of tens of
thousands of files, because DVC and file systems pay by the file.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from hw2.digits.packed import Digits
from hw2.errors import UserError
from hw2.labels import NUM_DIGITS

CSV_OF_PART = {"train": "train.csv", "select": "val.csv", "report": "test.csv"}
_UNREADABLE = (
    *(KeyError, OSError, SyntaxError, ValueError),  # Pillow has all but the first
    *(Image.DecompressionBombError, zipfile.BadZipFile, zlib.error),
)


def write(path: Path, contents: Iterable[tuple[str, str, Digits]]) -> None:
    """Write an archive of (domain, part, digits); the same contents give the same bytes."""
    numbers: dict[str, int] = {}
    with zipfile.ZipFile(path, "w") as archive:
        for domain, part, data in contents:
            rows = []
            for image, digit in zip(data.images, data.digits, strict=True):
                name = f"{numbers.setdefault(domain, 0):05d}.png"
                numbers[domain] += 1
                _add(archive, f"digits/{domain}/data/{name}", _png(image))
                rows.append(f"{name},{digit}")
            table = "\n".join(["image_name,label", *rows, ""])
            _add(archive, f"digits/{domain}/{CSV_OF_PART[part]}", table.encode())


def read(path: Path) -> Iterator[tuple[str, str, Digits]]:
    """Read an archive as (domain, part, digits), whatever domains and parts it has.

    Raises:
        UserError: if it is no zip file, or a table or an image in it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                parts = Path(name).parts
                if len(parts) == 3 and parts[0] == "digits" and parts[2] in CSV_OF_PART.values():
                    part = next(p for p, table in CSV_OF_PART.items() if table == parts[2])
                    yield parts[1], part, _read_part(archive, name)
    except (zipfile.BadZipFile, FileNotFoundError) as error:
        raise UserError(
            f"{path}: not a zip archive ({error}); run `dvc repro fetch_digits`"
        ) from error


def _read_part(archive: zipfile.ZipFile, table: str) -> Digits:
    folder = table.rsplit("/", 1)[0]
    images: list[np.ndarray] = []
    digits: list[int] = []
    rows = csv.DictReader(io.StringIO(archive.read(table).decode("utf-8-sig")))
    for number, row in enumerate(rows, start=1):
        name, label = row.get("image_name"), row.get("label")
        if label is None or label not in [str(d) for d in range(NUM_DIGITS)]:
            raise UserError(
                f"{table}, row {number}: label {label!r} is not 0 to 9; correct the table"
            )
        try:
            image = _decoded(archive.read(f"{folder}/data/{name}"))
            if images and image.shape != images[0].shape:
                raise ValueError("grey and colour images are mixed")
        except _UNREADABLE as error:
            raise UserError(
                f"{table}, row {number}: {folder}/data/{name} cannot be read ({error});"
                " restore the image"
            ) from error
        images.append(image)
        digits.append(int(label))
    if not images:
        raise UserError(f"{table}: no rows; restore the table")
    return Digits(np.stack(images), np.array(digits, np.int64))


def _decoded(png: bytes) -> np.ndarray:
    """A PNG as uint8 (28, 28, C); ValueError for another size or kind of pixel."""
    with Image.open(io.BytesIO(png)) as image:
        if image.size != (28, 28) or image.mode not in ("RGB", "L"):
            raise ValueError(f"{image.width}x{image.height} {image.mode}, not 28x28 RGB or L")
        return np.asarray(image).reshape(28, 28, -1)


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image if image.shape[-1] == 3 else image[..., 0]).save(
        buffer, "PNG", compress_level=1
    )
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(
        zipfile.ZipInfo(name), content
    )  # ZipInfo's date is 1980: no clock in the bytes

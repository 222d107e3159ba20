"""A small archive in the form of BSDS500's."""

import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from hw2.digits.sources import bsds500

PHOTOS = 10
COLORS = [(20 * k + 30, 250 - 20 * k, (70 * k) % 256) for k in range(PHOTOS)]


def jpeg(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def write_photos(raw: Path, **changes: bytes) -> None:
    """Photographs of one color each, landscape and portrait, among the archive's other files."""
    members = {"BSR/BSDS500/data/images/test/1.jpg": b"", "BSR/BSDS500/data/images/train/x.db": b""}
    members |= {f"BSR/BSDS500/data/groundTruth/train/{k}.mat": b"" for k in range(3)}
    for k, color in enumerate(COLORS):
        size = (32, 48) if k % 2 else (48, 32)
        photo = np.broadcast_to(np.array(color, np.uint8), (*size, 3))
        members[f"BSR/BSDS500/data/images/train/{k}.jpg"] = jpeg(photo)
    members |= {f"a/train/{name}.jpg": content for name, content in changes.items()}
    with tarfile.open(raw / bsds500.ARCHIVE.name, "w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))

"""Image files as RGB arrays: one reader and one kind of error for all of them."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from hw2.runtime.errors import UserError

LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G and B in the luminance of ITU-R BT.601, which Pillow's mode L has too."""

MAX_PIXELS = 89_478_485
"""Of an image; Pillow warns of a decompression bomb above this number."""

FORMATS = ("PNG", "JPEG", "WEBP")

ALL_FORMATS = (*FORMATS, "BMP", "GIF", "PPM", "TIFF")
"""For files of any origin. Pillow's other decoders are rarely used and fail in many ways."""

# What Pillow raises for damaged files, by experience with altered bytes.
_PILLOW_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, TypeError, AttributeError),
    *(LookupError, ArithmeticError, zlib.error, struct.error, Image.DecompressionBombError),
)


class UnreadableImage(Exception):
    """An image file that is damaged, too large or of another format; the text says why."""


def read(
    path: Path,
    *,
    remedy: str = "restore it",
    formats: tuple[str, ...] = FORMATS,
    upright: bool = True,
) -> np.ndarray:
    """Read an image file: uint8 (H, W, 3).

    Args:
        path: The file.
        remedy: How the error message ends.
        formats: Accepted formats as Pillow names them.
        upright: Whether the image is turned as its EXIF orientation says.

    Raises:
        UserError: if it cannot be read.
    """
    try:
        return decode(path.read_bytes(), formats=formats, upright=upright)
    except (UnreadableImage, OSError) as error:
        reason = str(error) if isinstance(error, UnreadableImage) else error.strerror
        raise UserError(f"{path}: not a readable image ({reason}); {remedy}") from error


def decode(
    content: bytes, *, formats: tuple[str, ...] = FORMATS, upright: bool = True
) -> np.ndarray:
    """Decode the content of an image file: uint8 (H, W, 3); arguments as those of `read`.

    The checksums of a PNG are verified, which Pillow's decoding of pixels leaves out in part.

    Raises:
        UnreadableImage: if it cannot be decoded.
    """
    with opened(content, formats) as image:
        image.verify()
    with opened(content, formats) as image:  # `verify` leaves the image unusable
        return rgb(ImageOps.exif_transpose(image) if upright else image)


@contextmanager
def opened(content: bytes, formats: tuple[str, ...] = FORMATS) -> Iterator[Image.Image]:
    """Open the content of an image file; its pixels are decoded when they are used.

    Raises:
        UnreadableImage: if it cannot be opened, or the body fails to decode it.
    """
    try:
        with Image.open(io.BytesIO(content), formats=formats) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableImage(f"{image.width}x{image.height} is too large")
            yield image
    except _PILLOW_ERRORS as error:
        raise UnreadableImage(_reason(error, formats)) from error


def rgb(image: Image.Image) -> np.ndarray:
    """The pixels of an image of any mode as uint8 (H, W, 3).

    16 bits become 8 by division by 257, which Pillow does for RGB, while it would clip gray.
    Transparent pixels are blended with black, the background of MNIST and USPS: the colors that a
    file stores below them are arbitrary.

    Raises:
        ValueError: if pixels are floating-point numbers, whose range no format fixes.
    """
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers")
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.int64)
        gray = ((wide + 128) // 257).clip(0, 255)
        gray = gray * (wide != image.info.get("transparency", -1))
        return np.repeat(gray.astype(np.uint8)[..., None], 3, axis=-1)
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA")).astype(np.int64)
        return ((rgba[..., :3] * rgba[..., 3:] + 127) // 255).astype(np.uint8)
    return np.asarray(image.convert("RGB"))


def _reason(error: Exception, formats: tuple[str, ...]) -> str:
    """Why Pillow refused a file, in a few words."""
    text = " ".join(str(error).split())
    if isinstance(error, Image.DecompressionBombError):
        return "a decompression bomb"
    if text.startswith("cannot identify"):
        return f"not a {' or '.join(formats)}"
    return text[:80] or type(error).__name__

"""Decoding of image files to pixels: uint8 (28, 28, C), where C is 1 or 3.

Square images of another size, such as the 32x32 of SVHN's originals, are made 28x28.

A PNG is accepted only if it is complete: the checksum of every chunk is right and the last chunk
exists, so a truncated file or a flipped bit is always detected. (Pillow reads a PNG without its
end, and ignores the checksum of pixel data.) JPEG has no checksums; what Pillow reads is accepted.

Plain PNGs, 8-bit gray or RGB, are unfiltered many at once: decoding a tall image of all of them
with Pillow is much faster than a call for each.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from hw2.digits.resize import SIZE, resized
from hw2.io import images

SIDES = range(16, 65)
"""Sides in pixels of the squares that are accepted: from USPS's 16 to twice SVHN's 32."""
MAX_BYTES = 1 << 18
"""No file of 64x64 pixels needs more; what has more is not read."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_CHUNK = struct.Struct(">I4s")  # length and type; content and checksum follow
_HEADER = struct.Struct(">II5B")  # width, height, depth, color, compression, filter, interlace
_PLAIN = {
    _HEADER.pack(SIZE, SIZE, 8, color, 0, 0, 0): mode for color, mode in ((0, "L"), (2, "RGB"))
}
_GRAY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L")
_COLOR_MODES = ("P", "PA", "RGB", "RGBA", "CMYK")
_FILTERS = 5  # number of row filters; the first byte of a row is its filter


class BadImage(Exception):
    """An image that cannot be used.

    `kind` is a key of `faults.REMEDIES`, the message states the reason.
    """

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(what)
        self.kind = kind


@dataclass(frozen=True)
class Decoded:
    """A decoded image.

    Attributes:
        pixels: uint8 (28, 28, C).
        mode: Pillow's name of the file's mode.
        side: Width and height in pixels of the image in the file.
    """

    pixels: np.ndarray
    mode: str
    side: int = SIZE


def decode_all(contents: Sequence[bytes]) -> list[Decoded | BadImage]:
    """Decode some files; the result for a file that cannot be used is the error."""
    results: dict[int, Decoded | BadImage] = {}
    plain: dict[str, dict[int, bytes]] = {mode: {} for mode in _PLAIN.values()}
    for number, content in enumerate(contents):
        try:
            mode, rows = _plain_rows(content)
            if rows:
                plain[mode][number] = rows
            else:
                results[number] = _decode(content)
        except BadImage as error:
            results[number] = error
    for mode, rows_of in plain.items():
        pixels = _unfiltered(mode, list(rows_of.values()))
        results |= {k: Decoded(p, mode) for k, p in zip(rows_of, pixels, strict=True)}
    return [results[number] for number in range(len(contents))]


def _plain_rows(content: bytes) -> tuple[str, bytes]:
    """The mode and the filtered rows of a complete plain PNG; no rows for other images."""
    if not content.startswith(_PNG):
        return "", b""
    pixel_data = []
    mode = None
    for kind, data in _chunks(content):
        if kind == b"IDAT":
            pixel_data.append(data)
        elif kind == b"IHDR":
            mode = _PLAIN.get(data)
        elif kind == b"tRNS":
            mode = None
    if mode is None:
        return "", b""
    stride = 1 + SIZE * len(mode)  # "L" has one channel, "RGB" three
    unpacker = zlib.decompressobj()
    try:
        # A limit, because a small file can unpack to gigabytes.
        rows = unpacker.decompress(b"".join(pixel_data), SIZE * stride + 1)
    except zlib.error as error:
        raise BadImage("damaged image", f"its pixel data are damaged ({error})") from error
    if not unpacker.eof or len(rows) != SIZE * stride or max(rows[::stride]) >= _FILTERS:
        raise BadImage("damaged image", "its pixel data are not 28 rows of 28 pixels")
    return mode, rows


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The type and content of each chunk of a PNG, up to its end.

    Raises:
        BadImage: if a chunk is truncated or its checksum is wrong.
    """
    at, kind = len(_PNG), b""
    while kind != b"IEND":
        if at + _CHUNK.size > len(content):
            raise BadImage("damaged image", f"is cut after {len(content)} bytes")
        length, kind = _CHUNK.unpack_from(content, at)
        start, end = at + _CHUNK.size, at + _CHUNK.size + length
        at = end + 4
        if at > len(content):
            raise BadImage("damaged image", f"is cut after {len(content)} bytes, or is damaged")
        if zlib.crc32(content[start - 4 : end]) != int.from_bytes(content[end:at]):
            raise BadImage("damaged image", f"a checksum is wrong before byte {at}")
        yield kind, content[start:end]


def _unfiltered(mode: str, filtered: Sequence[bytes]) -> np.ndarray:
    """Undo the filters of the rows of N plain PNGs: uint8 (N, 28, 28, C).

    They become one tall PNG image with a black row before each, so that the filters of an image's
    first row read zeros above it, as in a separate file.
    """
    shape = (len(filtered), SIZE + 1, SIZE, len(mode))
    if not filtered:
        return np.empty((0, SIZE, SIZE, len(mode)), np.uint8)
    black = bytes(1 + SIZE * len(mode))
    tall = zlib.compress(b"".join(rows for image in filtered for rows in (black, image)), 0)
    size = (SIZE, shape[0] * shape[1])
    return np.asarray(Image.frombytes(mode, size, tall, "zip", mode, False)).reshape(shape)[:, 1:]


def _decode(content: bytes) -> Decoded:
    """Decode any image that is not a plain PNG.

    Raises:
        BadImage: if it is not an image, has a size that is refused, or is damaged.
    """
    if not content:
        raise BadImage("damaged image", "is empty, 0 bytes")
    if not content.startswith((_PNG, _JPEG)):
        raise BadImage("damaged image", f"is not a PNG or JPEG, it starts with {content[:12]!r}")
    try:
        with images.opened(content, ("PNG", "JPEG")) as image:  # the header, not the pixels
            if image.width != image.height or image.width not in SIDES:
                accepted = f"a square of {SIDES[0]} to {SIDES[-1]} pixels"
                raise BadImage("wrong size", f"is {image.width}x{image.height}, not {accepted}")
            return Decoded(resized(_pixels(image)), image.mode, image.width)
    except images.UnreadableImage as error:
        raise BadImage("damaged image", f"cannot be decoded ({error})") from error


def _pixels(image: Image.Image) -> np.ndarray:
    """The pixels of an image of any mode as uint8 (S, S, C).

    Transparent pixels are blended with black, the background of MNIST and USPS. A palette of grays
    only, and 1 bit, become gray.
    """
    if image.mode not in _GRAY_MODES + _COLOR_MODES:
        raise BadImage("damaged image", f"has mode {image.mode}, save it as RGB or gray")
    pixels = images.rgb(image)
    gray = image.mode in _GRAY_MODES
    if image.mode.startswith("P"):
        gray = bool((pixels == pixels[..., :1]).all())
    return pixels[..., :1] if gray else pixels

"""The one image reader: what it accepts, how modes become RGB, and its errors."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hw2.io import images
from hw2.runtime.errors import UserError

NOISE = np.random.Generator(np.random.PCG64(3)).integers(0, 256, (20, 30, 3), np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_an_rgb_image_keeps_its_pixels() -> None:
    assert np.array_equal(images.decode(encoded(Image.fromarray(NOISE))), NOISE)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16", "CMYK"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    source = Image.fromarray(NOISE).convert("L") if mode == "I;16" else Image.fromarray(NOISE)
    pixels = images.decode(encoded(source.convert(mode), kind))
    assert (pixels.shape, pixels.dtype) == ((20, 30, 3), np.uint8)


def test_found_08_sixteen_bits_are_scaled_not_clipped() -> None:
    gray = NOISE[..., 0]
    wide = Image.fromarray(gray.astype(np.uint16) * 257)
    assert np.array_equal(images.decode(encoded(wide)), np.repeat(gray[..., None], 3, -1))


def test_transparent_pixels_are_blended_with_black() -> None:
    alpha = np.full((20, 30, 1), 51, np.uint8)
    content = encoded(Image.fromarray(np.concatenate([NOISE, alpha], -1)))
    blended = images.decode(content).astype(float)
    assert np.abs(blended - NOISE / 5).max() <= 0.5


def test_exif_orientation_is_applied_unless_unwanted() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees
    content = encoded(Image.fromarray(NOISE), exif=exif)
    assert images.decode(content, upright=False).shape == (20, 30, 3)
    assert np.array_equal(images.decode(content), np.rot90(NOISE, -1))


def test_floating_point_pixels_are_refused() -> None:
    content = encoded(Image.fromarray(NOISE[..., 0].astype(np.float32)), "TIFF")
    with pytest.raises(images.UnreadableImage, match="floating-point"):
        images.decode(content, formats=images.ALL_FORMATS)


@pytest.mark.parametrize("kind", ["DDS", "EPS"])
def test_found_26_rare_formats_are_refused_by_name(kind: str) -> None:
    with pytest.raises(images.UnreadableImage, match="not a PNG or JPEG or WEBP or BMP"):
        images.decode(encoded(Image.fromarray(NOISE), kind), formats=images.ALL_FORMATS)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a PNG or JPEG or WEBP"),
        (b"<html>", "not a PNG or JPEG or WEBP"),
        (encoded(Image.fromarray(NOISE), "BMP"), "not a PNG or JPEG or WEBP"),
        (encoded(Image.fromarray(NOISE))[:-40], ""),
        (encoded(Image.fromarray(NOISE), "JPEG")[:300], ""),
    ],
    ids=["empty", "page", "bmp", "cut png", "cut jpeg"],
)
def test_an_unreadable_file_is_a_one_line_error_with_its_name(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        images.read(path, remedy="remake it")
    message = str(caught.value)
    assert message.startswith(f"{path}: not a readable image ({reason}")
    assert message.endswith("; remake it")
    assert "\n" not in message


def test_a_flipped_bit_of_a_png_is_detected() -> None:
    content = bytearray(encoded(Image.fromarray(NOISE)))
    content[len(content) // 2] ^= 1
    with pytest.raises(images.UnreadableImage):
        images.decode(bytes(content))


def test_a_missing_file_is_a_one_line_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.png: not a readable image \(No such file"):
        images.read(tmp_path / "absent.png")


def test_found_26_an_image_with_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 599)
    with pytest.raises(images.UnreadableImage, match="30x20 is too large"):
        images.decode(encoded(Image.fromarray(NOISE)))

"""One image's bytes: every whole image becomes uint8 (28, 28, C), every damaged one is refused."""

import io
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from hw2.digits import decode
from hw2.digits.decode import BadImage, Decoded

RAMP = np.arange(784, dtype=np.uint16).reshape(28, 28) * 83  # 0 ... 64,989


def noise(*shape: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(7)).integers(0, 256, shape, np.uint8)


def smooth(channels: int) -> np.ndarray:
    """Gradients, for which an encoder uses every kind of filter."""
    y, x = np.mgrid[:28, :28]
    planes = [(x * (3 + c) + y * (5 - c) + (x * y) // 7) % 256 for c in range(channels)]
    return np.stack(planes, axis=-1).astype(np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of chunks of our own, with right checksums."""
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def header(width: int, height: int, color: int = 2, interlace: int = 0) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">II5B", width, height, 8, color, 0, 0, interlace)


def decoded(content: bytes) -> Decoded:
    (image,) = decode.decode_all([content])
    assert isinstance(image, Decoded), image
    assert image.pixels.shape[:2] == (28, 28)
    assert image.pixels.dtype == np.uint8
    return image


def refused(content: bytes) -> BadImage:
    (image,) = decode.decode_all([content])
    assert isinstance(image, BadImage)
    assert "\n" not in str(image)
    return image


GOOD = encoded(Image.fromarray(smooth(3)))


@pytest.mark.parametrize("level", [0, 1, 6, 9])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [noise, smooth])
def test_plain_pngs_are_exact(level: int, channels: int, kind: Any) -> None:
    pixels = noise(28, 28, channels) if kind is noise else smooth(channels)
    image = Image.fromarray(pixels if channels == 3 else pixels[..., 0])
    result = decoded(encoded(image, compress_level=level))
    assert np.array_equal(result.pixels, pixels)
    assert result.mode == image.mode


@pytest.mark.parametrize("filter_of_row", [*range(5), None])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_filter_is_undone_as_pillow_does(filter_of_row: int | None, channels: int) -> None:
    rows = noise(6, 28, 1 + 28 * channels)
    for k, image in enumerate(rows):  # images in one batch must not see each other
        image[:, 0] = (np.arange(28) + k) % 5 if filter_of_row is None else filter_of_row
    files = [
        png(
            header(28, 28, 2 if channels == 3 else 0),
            (b"IDAT", zlib.compress(image.tobytes())),
            (b"IEND", b""),
        )
        for image in rows
    ]
    for content, result in zip(files, decode.decode_all(files), strict=True):
        assert isinstance(result, Decoded)
        with Image.open(io.BytesIO(content)) as image:
            assert np.array_equal(result.pixels, np.asarray(image).reshape(28, 28, channels))


def test_a_batch_keeps_its_order() -> None:
    gray, color = encoded(Image.fromarray(smooth(1)[..., 0])), GOOD
    palette = encoded(Image.fromarray(smooth(3)).convert("P"))
    results = decode.decode_all([gray, b"", color, palette, gray, b"x"])
    kinds = [f.mode if isinstance(f, Decoded) else str(f)[:5] for f in results]
    assert kinds == ["L", "is em", "RGB", "P", "L", "is no"]


def test_pixel_data_may_come_in_pieces() -> None:
    rows = zlib.compress(bytes(28 * 85))
    pieces = [(b"IDAT", rows[k : k + 5]) for k in range(0, len(rows), 5)]
    assert not decoded(png(header(28, 28), *pieces, (b"IEND", b""))).pixels.any()


def test_bytes_after_the_end_are_ignored() -> None:
    assert np.array_equal(decoded(GOOD + b"tail").pixels, smooth(3))


def test_row_39_a_file_cut_anywhere_is_refused() -> None:
    results = decode.decode_all([GOOD[:length] for length in range(len(GOOD))])
    assert all(isinstance(f, BadImage) and f.kind == "damaged image" for f in results)


def test_a_flipped_bit_anywhere_is_refused() -> None:
    files = [GOOD[:k] + bytes([GOOD[k] ^ 16]) + GOOD[k + 1 :] for k in range(len(GOOD))]
    assert all(isinstance(result, BadImage) for result in decode.decode_all(files))


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html>", b"version https://git-lfs", b"GIF89a", b"\0"]
)
def test_the_error_for_other_content_shows_its_first_bytes(content: bytes) -> None:
    assert f"starts with {content[:12]!r}" in str(refused(content))


def test_the_error_for_an_empty_file_says_that_it_is_empty() -> None:
    assert str(refused(b"")) == "is empty, 0 bytes"


def test_row_49_a_decompression_bomb_is_refused_without_decoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("was decoded"))
    rows = zlib.compress(bytes(100_000))
    bomb = png(header(60_000, 60_000), (b"IDAT", rows), (b"IEND", b""))
    assert "a decompression bomb" in str(refused(bomb))


@pytest.mark.parametrize("size", [(27, 28), (28, 29), (15, 15), (65, 65), (0, 0), (9_000, 9_000)])
def test_another_size_is_refused_without_decoding(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("was decoded"))
    bomb = png(header(*size), (b"IDAT", zlib.compress(bytes(100_000))), (b"IEND", b""))
    result = refused(bomb)
    if all(size):
        assert (result.kind, str(result)) == (
            "wrong size",
            f"is {size[0]}x{size[1]}, not a square of 16 to 64 pixels",
        )


@pytest.mark.parametrize("side", [16, 27, 32, 64])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_found_29_squares_are_made_28x28_as_pillow_does(side: int, mode: str) -> None:
    image = Image.fromarray(noise(side, side, 3)).convert(mode)
    result = decoded(encoded(image))
    plain = image.convert("L" if mode == "L" else "RGB")
    expected = np.asarray(plain.resize((28, 28), Image.Resampling.BILINEAR)).reshape(28, 28, -1)
    assert np.array_equal(result.pixels, expected)
    assert (result.mode, result.side) == (mode, side)


def test_resizing_is_the_bilinear_resize_of_torchvision() -> None:
    from torchvision.transforms import functional

    image = Image.fromarray(noise(32, 32, 3))
    assert np.array_equal(
        decoded(encoded(image)).pixels, np.asarray(functional.resize(image, [28, 28]))
    )


def test_a_jpeg_of_another_size_is_refused() -> None:
    assert refused(encoded(Image.new("RGB", (32, 28)), "JPEG")).kind == "wrong size"


@pytest.mark.parametrize("rows", [27, 29, 400_000])
def test_pixel_data_of_another_length_are_refused_in_little_memory(rows: int) -> None:
    data = zlib.compress(bytes(rows * 85))
    content = png(header(28, 28), (b"IDAT", data), (b"IEND", b""))
    tracemalloc.start()
    assert refused(content).kind == "damaged image"
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_an_unknown_filter_is_refused() -> None:
    content = png(header(28, 28), (b"IDAT", zlib.compress(b"\7" * 28 * 85)), (b"IEND", b""))
    assert refused(content).kind == "damaged image"


def test_a_png_without_pixels_or_header_is_refused() -> None:
    refused(png(header(28, 28), (b"IEND", b"")))
    refused(png((b"IDAT", zlib.compress(bytes(28 * 85))), (b"IEND", b"")))
    refused(png((b"IHDR", b"short"), (b"IEND", b"")))


def test_an_interlaced_png_is_read() -> None:
    """Seven passes; black is simple to write."""
    passes = [(4, 4), (4, 4), (3, 7), (7, 7), (7, 14), (14, 14), (14, 28)]  # rows, columns
    rows = b"".join(bytes(1 + 3 * width) for height, width in passes for _ in range(height))
    content = png(header(28, 28, interlace=1), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    assert not decoded(content).pixels.any()


def test_row_47_gray_of_16_bits_is_scaled_not_clipped() -> None:
    pixels = decoded(encoded(Image.fromarray(RAMP))).pixels
    assert np.array_equal(pixels[..., 0], np.round(RAMP / 257).astype(np.uint8))
    assert abs(pixels.mean() - RAMP.mean() / 257) < 1


def test_color_of_16_bits_is_scaled_not_clipped() -> None:
    raw = b"".join(b"\0" + row.astype(">u2").repeat(3).tobytes() for row in RAMP)
    head = b"IHDR", struct.pack(">II5B", 28, 28, 16, 2, 0, 0, 0)
    pixels = decoded(png(head, (b"IDAT", zlib.compress(raw)), (b"IEND", b""))).pixels
    assert pixels.shape == (28, 28, 3)
    assert np.abs(pixels[..., 0] - RAMP / 257).max() <= 1


def test_one_bit_images_become_black_and_white() -> None:
    bits = smooth(1)[..., 0] > 100
    result = decoded(encoded(Image.fromarray(bits)))
    assert np.array_equal(result.pixels[..., 0], bits * np.uint8(255))
    assert result.mode == "1"


def test_transparent_pixels_are_blended_with_black() -> None:
    rgba = np.concatenate([np.full((28, 28, 3), 200, np.uint8), smooth(1)], axis=-1)
    pixels = decoded(encoded(Image.fromarray(rgba))).pixels
    assert np.array_equal(pixels, np.round(200 / 255 * smooth(1)).astype(np.uint8).repeat(3, -1))


def test_opaque_rgba_keeps_its_colors() -> None:
    rgba = np.concatenate([smooth(3), np.full((28, 28, 1), 255, np.uint8)], axis=-1)
    assert np.array_equal(decoded(encoded(Image.fromarray(rgba))).pixels, smooth(3))


def test_gray_with_alpha_is_gray_on_black() -> None:
    la = np.stack([np.full((28, 28), 100, np.uint8), smooth(1)[..., 0]], axis=-1)
    pixels = decoded(encoded(Image.fromarray(la, "LA"))).pixels
    assert np.array_equal(pixels, np.round(100 / 255 * smooth(1)).astype(np.uint8))


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_a_transparent_color_becomes_black(mode: str) -> None:
    image = Image.fromarray(RAMP) if mode == "I;16" else Image.fromarray(smooth(3)).convert(mode)
    key = image.getpixel((27, 27))
    plain = decoded(encoded(image)).pixels
    assert plain[27, 27].any()
    pixels = decoded(encoded(image, transparency=key)).pixels
    assert not pixels[27, 27].any()
    assert pixels.shape == plain.shape
    assert np.array_equal(pixels[0, 5], plain[0, 5])


def test_a_palette_becomes_its_colors_and_a_gray_palette_gray() -> None:
    colors = Image.fromarray(smooth(3)).quantize(16)
    result = decoded(encoded(colors))
    assert np.array_equal(result.pixels, np.asarray(colors.convert("RGB")))
    grays = Image.fromarray(smooth(1)[..., 0]).convert("P")
    assert np.array_equal(decoded(encoded(grays)).pixels, smooth(1))


def test_a_palette_with_alpha_is_blended_with_black() -> None:
    colors = Image.fromarray(smooth(3)).quantize(16)
    first = np.asarray(colors) == 0
    pixels = decoded(encoded(colors, transparency=0)).pixels
    assert first.any()
    assert not pixels[first].any()
    assert np.array_equal(pixels[~first], np.asarray(colors.convert("RGB"))[~first])


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_is_read(mode: str) -> None:
    result = decoded(encoded(Image.new("RGB", (28, 28), (90, 90, 90)).convert(mode), "JPEG"))
    assert result.mode == mode
    assert result.pixels.shape[-1] == (1 if mode == "L" else 3)
    assert np.abs(result.pixels.astype(int) - 90).max() <= 3


def test_a_cut_jpeg_is_refused() -> None:
    whole = encoded(Image.fromarray(noise(28, 28, 3)), "JPEG")
    for length in (3, 20, len(whole) // 2, len(whole) - 40):
        assert refused(whole[:length]).kind == "damaged image"


def test_random_content_is_refused_or_read() -> None:
    random = np.random.Generator(np.random.PCG64(3))
    seeds = [encoded(Image.fromarray(noise(28, 28, 3)), "JPEG"), GOOD[:8], GOOD[:33]]
    for k in range(300):
        content = bytearray(seeds[k % 3] + random.bytes(k % 40))
        content[int(random.integers(3, len(content)))] ^= int(random.integers(1, 256))
        (result,) = decode.decode_all([bytes(content)])
        assert isinstance(result, BadImage) or result.pixels.shape[:2] == (28, 28)

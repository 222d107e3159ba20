"""Photographs are read upright and scaled as the VAE expects; composites hold both concepts."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hw2.config import params
from hw2.personalization import batches, photos, synthetic
from hw2.runtime.errors import UserError


def spec(key: str) -> params.Concept:
    return params.Concept(key=key, token=f"<t{key}>", kind="object", initializer="thing", vectors=1)


def test_row_48_exif_orientation_is_applied(tmp_path: Path) -> None:
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be rotated by 90 degrees clockwise
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    upright = photos.pixels(tmp_path / "a.png")
    assert upright.shape == (40, 20, 3)
    assert upright[:20].min() == 255
    assert upright[20:].max() == 0


def test_squares_are_in_the_range_of_the_vae() -> None:
    image = np.zeros((30, 50, 3), np.uint8)
    image[:, 25:] = 255
    images = batches.to_tensor([photos.squared(image, 16)])
    assert images.shape == (1, 3, 16, 16)
    assert (images.min(), images.max()) == (-1, 1)
    assert images[0, 0, 8, 0] == -1
    assert images[0, 0, 8, 15] == 1


def test_random_squares_depend_on_the_stream_alone() -> None:
    image = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    squares = [
        photos.squared(image, 16, np.random.Generator(np.random.PCG64(seed))) for seed in (1, 2, 1)
    ]
    assert squares[0].shape == (16, 16, 3)
    assert np.array_equal(squares[0], squares[2])
    assert not np.array_equal(squares[0], squares[1])


def test_a_composite_shows_the_first_on_the_left(tmp_path: Path) -> None:
    synthetic.write(tmp_path, 2, 32, 5)
    flower, shield = (
        photos.read(tmp_path, spec(key)) for key in (synthetic.FLOWER, synthetic.SHIELD)
    )
    image = photos.composite(flower, shield, (0, 1), 32)
    assert image.shape == (32, 32, 3)
    side = round(32 * 9 / 16)
    mask = photos.squared(flower.masks[0].astype(np.uint8) * 255, side) > 127
    square = photos.squared(flower.images[0], side)
    top = (32 - side) // 2
    left = image[top : top + side, : 32 - side]
    mask = mask[:, : 32 - side]
    assert np.array_equal(left[mask], square[:, : 32 - side][mask])


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_a_damaged_photograph_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0/a.jpg").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.jpg: not a readable image") as error:
        photos.read(tmp_path, spec("0"))
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="no photographs"):
        photos.read(tmp_path, spec("1"))


def test_synthetic_objects_have_masks_and_the_style_has_its_tones() -> None:
    images, masks = synthetic.references(synthetic.FLOWER, 4, 32, 5)
    assert images.shape == (4, 32, 32, 3)
    assert 0.1 < (masks > 0).mean() < 0.6
    engraved, everywhere = synthetic.references(synthetic.ENGRAVING, 6, 64, 5)
    assert (everywhere == 255).all()
    assert (engraved.reshape(6, -1, 3).mean(1) @ [1, 0, -1] > 20).all()  # sepia: more red than blue
    other, _ = synthetic.references(synthetic.ENGRAVING, 6, 64, 6)
    assert not np.array_equal(engraved, other)

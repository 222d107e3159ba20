"""Backgrounds: photographs and textures that no two splits share."""

from itertools import combinations

import numpy as np
import pytest

from hw2 import rng
from hw2.digits.drawing import backgrounds
from hw2.digits.labels import SPLITS


def test_splits_share_no_column_of_a_photograph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each split's columns, from photographs whose pixels hold the number of their column."""
    widths = (640, 427, 512, 33)
    ramps = tuple(np.broadcast_to(np.arange(w)[None, :, None], (40, w, 3)) for w in widths)
    monkeypatch.setattr(backgrounds, "_all_photos", lambda: ramps)
    for number, width in enumerate(widths):
        columns = [set(backgrounds.photos(split)[number].flatten().tolist()) for split in SPLITS]
        for first, second in combinations(columns, 2):
            assert not first & second
        assert sum(map(len, columns)) >= 0.9 * width


@pytest.mark.parametrize("split", SPLITS)
def test_the_photographs_are_in_color_and_large_enough(split: str) -> None:
    photos = backgrounds.photos(split)
    assert len(photos) == 3
    for photo in photos:
        assert photo.dtype == np.uint8
        assert photo.shape[2] == 3
        assert min(photo.shape[:2]) > 28


def test_splits_share_no_texture() -> None:
    for first, second in combinations(SPLITS, 2):
        textures = [
            {np.asarray(image).tobytes() for image in backgrounds.load(split, 7).textures}
            for split in (first, second)
        ]
        assert not textures[0] & textures[1]


def test_patches_vary_and_the_stream_decides_them() -> None:
    scenery = backgrounds.load("val", 7)
    first, again = (scenery.patches(60, rng.numpy_rng(7, "patches")) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (60, 28, 28, 3)
    assert 0 <= first.min() < first.max() <= 255
    assert first.mean((1, 2, 3)).std() > 15  # dark and light ones
    assert len({patch.tobytes() for patch in first}) == 60


def test_turns_are_the_eight_symmetries() -> None:
    patch = np.arange(9).reshape(3, 3, 1)
    assert len({backgrounds._turned(patch, turn).tobytes() for turn in range(8)}) == 8

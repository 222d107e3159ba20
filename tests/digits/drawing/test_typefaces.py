"""Typefaces: no two splits share one, and a 1 on a base is rare."""

from itertools import combinations

import numpy as np
import pytest

from hw2.digits.drawing import typefaces
from hw2.digits.labels import SPLITS


def test_no_typeface_is_in_two_splits() -> None:
    for first, second in combinations(SPLITS, 2):
        glyphs = [
            {face.glyphs.tobytes() for face in typefaces.load(split, 7)}
            for split in (first, second)
        ]
        assert not glyphs[0] & glyphs[1]


def test_no_family_of_fonts_is_in_two_splits() -> None:
    families = [{name[:4] for name in typefaces.FONTS[split]} for split in SPLITS]
    families[1] = {name[:2] for name in families[1]}  # cmss10 and cmb10 are Computer Modern
    for first, second in combinations(families, 2):
        assert not first & second


@pytest.mark.parametrize("split", SPLITS)
def test_the_fonts_are_installed(split: str) -> None:
    assert all(path.is_file() for path in typefaces.font_paths(split))


@pytest.mark.parametrize("split", SPLITS)
def test_digits_are_centered_and_as_high_as_stated(split: str) -> None:
    for face in typefaces.load(split, 7):
        assert face.glyphs.shape == (10, typefaces.CANVAS, typefaces.CANVAS)
        heights = (face.glyphs > 127).any(2).sum(1)
        assert np.abs(heights - typefaces.HEIGHT).max() <= 0.15 * typefaces.HEIGHT
        assert (face.widths > 0).all()
        assert face.glyphs[:, 0].max() == 0  # nothing is cut off at the top


def test_few_ones_stand_on_a_base() -> None:
    """The last row of a 1 with a base is several times as wide as its middle."""
    drawn = typefaces.load("train", 7)[: typefaces.DRAWN["train"]]
    broad = []
    for face in drawn:
        inked = face.glyphs[1] > 127
        rows = np.flatnonzero(inked.any(1))
        broad.append(inked[rows[-4]].sum() > 2 * inked[rows[len(rows) // 2]].sum())
    assert np.mean(broad) < 0.2

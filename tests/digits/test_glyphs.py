"""No raw material is in two splits or two domains."""

from itertools import combinations

import numpy as np
import pytest

from hw2.digits import glyphs
from hw2.digits.labels import SPLITS

SEEDS = (7, 8)
ROLES = [(domain, split) for domain in ("mnistm", "usps") for split in SPLITS]


def rows(array: np.ndarray) -> set[bytes]:
    """Each scan as a key; the data set of scikit-learn holds no scan twice."""
    return {row.tobytes() for row in array}


def test_the_scans_are_all_different() -> None:
    ink, digits = glyphs._all_scans()
    assert len(rows(ink)) == len(ink) == len(digits) == 1797


@pytest.mark.parametrize("seed", SEEDS)
def test_no_scan_is_in_two_domains_or_splits(seed: int) -> None:
    for first, second in combinations(ROLES, 2):
        assert not rows(glyphs.scans(*first, seed)[0]) & rows(glyphs.scans(*second, seed)[0])


@pytest.mark.parametrize(("domain", "split"), ROLES)
def test_every_domain_and_split_has_scans_of_every_digit(domain: str, split: str) -> None:
    ink, digits = glyphs.scans(domain, split, 7)
    assert ink.shape == (len(digits), 8, 8)
    assert (ink.min(), ink.max()) == (0, 1)
    assert np.bincount(digits, minlength=10).min() >= 5  # 4 % of the 174 scans of the rarest digit


def test_scans_keep_their_digit() -> None:
    ink, digits = glyphs._all_scans()
    digit_of = {scan.tobytes(): digit for scan, digit in zip(ink, digits, strict=True)}
    scans, labels = glyphs.scans("mnistm", "train", 7)
    assert [digit_of[scan.tobytes()] for scan in scans] == labels.tolist()


def test_the_seed_selects_the_scans() -> None:
    first, again, other = (glyphs.scans("usps", "train", seed)[0] for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert rows(first) != rows(other)


def test_splits_share_no_column_of_a_photograph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each split's columns, from photographs whose pixels hold the number of their column."""
    widths = (640, 427, 512, 33)
    ramps = tuple(np.broadcast_to(np.arange(w)[None, :, None], (40, w, 3)) for w in widths)
    monkeypatch.setattr(glyphs, "_all_photos", lambda: ramps)
    for number, width in enumerate(widths):
        columns = [set(glyphs.photos(split)[number].flatten().tolist()) for split in SPLITS]
        for first, second in combinations(columns, 2):
            assert not first & second
        assert sum(map(len, columns)) >= 0.9 * width


@pytest.mark.parametrize("split", SPLITS)
def test_the_real_photos_are_in_color_and_large_enough(split: str) -> None:
    photos = glyphs.photos(split)
    assert len(photos) == 3
    for photo in photos:
        assert photo.dtype == np.uint8
        assert photo.shape[2] == 3
        assert min(photo.shape[:2]) > 28 / 1.5  # the largest patch, see worlds._patch


def test_the_fonts_are_installed() -> None:
    assert len(glyphs.font_paths()) == len(glyphs.FONTS)
    assert all(path.is_file() for path in glyphs.font_paths())

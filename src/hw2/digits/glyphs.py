"""Raw material of the synthetic digits from installed packages, divided by split.

Handwritten digits are scikit-learn's `load_digits` (1,797 scans of 8x8, UCI optdigits); photographs
are scikit-learn's two sample images and Matplotlib's portrait; glyphs are from Matplotlib's fonts.
No two splits share a scan or a pixel of a photograph, and no two domains share a scan.
"""

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from hw2 import rng
from hw2.digits.labels import NUM_DIGITS

# Shares of each digit's scans. All domains and splits have disjoint scans.
_SCAN_SHARES: dict[tuple[str, str], float] = {
    ("mnistm", "train"): 0.50,
    ("mnistm", "val"): 0.05,
    ("mnistm", "test"): 0.13,
    ("usps", "train"): 0.21,
    ("usps", "val"): 0.04,
    ("usps", "test"): 0.07,
}
# Range of each photograph's width, with a gap so that no patch can overlap two splits.
_PHOTO_STRIPS: dict[str, tuple[float, float]] = {
    "train": (0.0, 0.66),
    "val": (0.67, 0.80),
    "test": (0.81, 1.0),
}
FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono-Bold.ttf",
    "cmss10.ttf",
    "DejaVuSerif-Bold.ttf",
    "STIXGeneralBol.ttf",
)


def scans(domain: str, split: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Handwritten scans of one domain and split.

    Returns:
        `(ink, digits)`: float32 (N, 8, 8) in [0, 1], where 1 is ink, and int64 (N,).
    """
    ink, digits = _all_scans()
    chosen: list[np.ndarray] = []
    shares = list(_SCAN_SHARES.items())
    at = [key for key, _ in shares].index((domain, split))
    low = sum(share for _, share in shares[:at])
    high = low + shares[at][1]
    for digit in range(NUM_DIGITS):
        rows = rng.numpy_rng(seed, "scans", digit).permutation(np.flatnonzero(digits == digit))
        chosen.append(rows[round(low * len(rows)) : round(high * len(rows))])
    rows = np.concatenate(chosen)
    return ink[rows], digits[rows]


def photos(split: str) -> list[np.ndarray]:
    """The strip of each photograph that belongs to `split`: uint8 (H, W, 3) each."""
    low, high = _PHOTO_STRIPS[split]
    return [
        photo[:, round(low * photo.shape[1]) : round(high * photo.shape[1])]
        for photo in _all_photos()
    ]


def font_paths() -> list[Path]:
    """Font files of the house numbers."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return [folder / name for name in FONTS]


@cache
def _all_scans() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    scans = load_digits()
    return scans.images.astype(np.float32) / 16, scans.target.astype(np.int64)


@cache
def _all_photos() -> tuple[np.ndarray, ...]:
    import matplotlib
    from sklearn.datasets import load_sample_images

    portrait = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    with Image.open(portrait) as image:
        return (*load_sample_images().images, np.asarray(image.convert("RGB")))

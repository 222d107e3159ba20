"""Typefaces of house numbers, divided by split: drawn ones, and families of Matplotlib's fonts.

Drawn typefaces vary around the shapes of common sans serif digits: weight, width, slant, contrast
of thick and thin strokes, and the form of each digit. Of Matplotlib's fonts each split has a
family of its own; nearly all of them have a 1 on a base, which is rare on houses, so that most
typefaces are drawn.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hw2 import rng
from hw2.digits.drawing import forms, pen
from hw2.digits.labels import NUM_DIGITS

CANVAS = 112
"""Side of a glyph's image in pixels."""
HEIGHT = 56
"""Height of a digit in it."""

DRAWN = {"train": 60, "val": 14, "test": 20}
"""Drawn typefaces of each split."""

FONTS = {
    "train": (
        "DejaVuSans.ttf",
        "DejaVuSans-Bold.ttf",
        "DejaVuSansMono-Bold.ttf",
        "DejaVuSerif.ttf",
        "DejaVuSerif-Bold.ttf",
    ),
    "val": ("cmss10.ttf", "cmb10.ttf"),
    "test": ("STIXGeneral.ttf", "STIXGeneralBol.ttf", "STIXGeneralItalic.ttf"),
}
"""Font files of each split, of different families."""

PRINTED: tuple[tuple[tuple[float, str], ...], ...] = (
    (
        (0.7, "35,0 12,12 4,50 12,88 35,100 58,88 66,50 58,12 35,0"),
        (0.3, "34,0 10,7 4,30 4,70 10,93 34,100 58,93 64,70 64,30 58,7 34,0"),
    ),
    (
        (0.70, "30,0 30,100"),
        (0.26, "23,12 33,0 | 33,100"),
        (0.04, "16,15 34,0 | 34,100 ; 12,100 56,100"),
    ),
    (
        (0.6, "4,26 12,6 34,0 58,10 60,34 40,60 18,82 4,100 | 64,100"),
        (0.4, "6,24 10,7 34,0 58,7 60,30 34,64 4,100 | 62,100"),
    ),
    (
        (0.85, "6,20 16,4 36,0 56,10 56,34 30,47 | 60,58 62,84 40,100 14,96 4,80"),
        (0.15, "6,0 58,0 | 30,40 | 58,54 62,80 40,100 12,96 4,82"),
    ),
    (
        (0.8, "50,100 50,0 | 2,70 | 70,70"),
        (0.2, "44,0 4,66 | 70,66 ; 50,38 50,100"),
    ),
    ((1.0, "60,0 14,0 | 8,46 | 30,36 56,46 62,68 50,94 28,100 8,94 2,80"),),
    (
        (0.7, "58,16 38,0 14,16 4,54 12,90 34,100 58,88 62,66 50,44 28,42 6,58"),
        (0.3, "48,0 20,36 4,66 14,94 34,100 56,92 62,70 52,50 32,44 14,52"),
    ),
    (
        (0.6, "2,0 64,0 | 40,42 24,100"),
        (0.4, "2,0 64,0 | 22,100"),
    ),
    (
        (
            1.0,
            "33,46 12,36 11,12 33,0 55,12 54,36 33,46 "
            "12,56 3,76 12,95 33,100 54,95 63,76 54,56 33,46",
        ),
    ),
    (
        (0.7, "8,84 28,100 52,84 62,46 54,10 32,0 8,12 4,34 16,56 38,58 60,42"),
        (0.3, "18,100 46,64 62,34 52,6 32,0 10,8 4,30 14,50 34,56 52,48"),
    ),
)
"""For each digit its printed forms with their shares."""


@dataclass(frozen=True)
class Typeface:
    """The digits of a typeface.

    Attributes:
        glyphs: uint8 (10, 112, 112), digits of about 56 pixels of height in the center.
        widths: Widths of the digits in pixels, int (10,).
    """

    glyphs: np.ndarray
    widths: np.ndarray


@cache
def load(split: str, seed: int) -> list[Typeface]:
    """The typefaces of a split; the seed decides the drawn ones."""
    random = rng.numpy_rng(seed, "typefaces", split)
    drawn = [_drawn(random) for _ in range(DRAWN[split])]
    return [_measured(glyphs) for glyphs in (*drawn, *map(_from_font, font_paths(split)))]


def font_paths(split: str) -> list[Path]:
    """The font files of a split."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return [folder / name for name in FONTS[split]]


def _measured(glyphs: np.ndarray) -> Typeface:
    columns = (glyphs > 127).any(1)
    return Typeface(glyphs, columns.sum(1))


def _drawn(random: np.random.Generator) -> np.ndarray:
    """A random drawn typeface: uint8 (10, 112, 112)."""
    weight = HEIGHT * random.uniform(0.045, 0.105)  # half of a thick stroke
    contrast = random.uniform(1.3, 2.0) if random.random() < 0.35 else 1.0
    aspect = np.exp(random.normal(-0.08, 0.12))
    slant = random.uniform(0.1, 0.25) if random.random() < 0.2 else 0.0
    glyphs = []
    for digit in range(NUM_DIGITS):
        shares = [share for share, _ in PRINTED[digit]]
        form = forms.parse(PRINTED[digit][random.choice(len(shares), p=shares)][1])
        controls = form.controls + random.normal(0, 0.015, form.controls.shape)
        points = form.basis @ controls
        points[:, 0] = aspect * points[:, 0] + slant * (0.5 - points[:, 1])
        glyphs.append(_stroked(points, weight, contrast))
    return np.stack(glyphs)


def _stroked(points: np.ndarray, weight: float, contrast: float) -> np.ndarray:
    """A line drawn by a pen that is `contrast` times as wide as it is high: uint8 (112, 112).

    The pen is round on a canvas that is narrower by this factor and is widened afterwards.
    """
    thin = weight / contrast
    middle = (points.min(0) + points.max(0)) / 2
    size = np.array([HEIGHT / contrast, HEIGHT - 2 * thin])
    centers = (points - middle) * size + CANVAS / 2
    half = CANVAS // 2  # drawn at half the size, which is still more than that of the images
    ink = pen.draw(centers[None] / 2, np.full((1, len(points)), thin / 2), half)[0]
    drawn = Image.fromarray((255 * ink).astype(np.uint8))
    box = (half * (1 - 1 / contrast) / 2, 0, half * (1 + 1 / contrast) / 2, half)
    return np.asarray(drawn.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR, box))


def _from_font(path: Path) -> np.ndarray:
    """The digits of a font file: uint8 (10, 112, 112)."""
    font = ImageFont.truetype(str(path), CANVAS)
    _, top, _, bottom = font.getbbox("0")
    font = ImageFont.truetype(str(path), round(CANVAS * HEIGHT / (bottom - top)))
    glyphs = []
    for digit in range(NUM_DIGITS):
        canvas = Image.new("L", (CANVAS, CANVAS))
        ImageDraw.Draw(canvas).text((CANVAS / 2, CANVAS / 2), str(digit), 255, font, anchor="mm")
        glyphs.append(np.asarray(canvas))
    return np.stack(glyphs)

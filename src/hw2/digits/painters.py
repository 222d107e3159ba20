"""Painters of synthetic digits of 28x28 pixels: a function for each domain that has them.

`mnistm` follows the recipe of MNIST-M (Ganin et al., 2016): |digit - photo patch|. `svhn` resembles
cropped house numbers: fonts, colors, neighbors cut off at the sides, perspective, blur. `usps` is
gray and in a different handwriting: it fills the frame, leans, and has strokes of any width.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from hw2.digits import glyphs
from hw2.digits.labels import NUM_DIGITS
from hw2.io.images import LUMA

SIZE = 28
_CONTRAST = 70  # minimum difference of ink and paper in gray levels, for readability
_EDGE = 0.42  # share of ink at which a stroke of a scan ends
_USPS_EDGES = (0.3, 0.42, 0.56)  # the same for bold, medium and fine pens
_USPS_LEAN = 0.5
_GLYPH = 4 * SIZE  # glyphs and enlarged scans are kept at four times the size and warped down


Painter = Callable[[int, np.random.Generator], np.ndarray]
"""From a digit and a random generator to an image uint8 (28, 28, C)."""

MakePainter = Callable[[str, int], Painter]
"""From a split and a seed to the painter; the seed divides the scans among the splits."""


def mnistm(split: str, seed: int) -> Painter:
    """Handwriting blended with photographs."""
    pens = _pens("mnistm", split, seed)
    photos = [Image.fromarray(photo) for photo in glyphs.photos(split)]

    def paint(digit: int, random: np.random.Generator) -> np.ndarray:
        stroke = _warp(
            _pick(pens[digit], random),
            random,
            height=(18, 21),
            degrees=10,
            shear=0.15,
            translate=1.5,
        )
        while True:
            patch = _patch(photos[random.integers(len(photos))], random)
            contrast = np.abs(255 - 2 * patch).mean(-1)  # of ink and paper at a pixel of ink
            if (contrast * stroke).sum() >= _CONTRAST * stroke.sum():
                break  # on mid-gray, |digit - patch| is invisible
        return np.abs(patch - 255 * stroke[..., None]).round().astype(np.uint8)

    return paint


def usps(split: str, seed: int) -> Painter:
    """Gray handwriting that fills the frame."""
    pens = [
        np.concatenate(scans)
        for scans in zip(*(_pens("usps", split, seed, edge) for edge in _USPS_EDGES), strict=True)
    ]

    def paint(digit: int, random: np.random.Generator) -> np.ndarray:
        # USPS digits fill their frame regardless of their width, lean to the right, have fine to
        # bold strokes, and are softer than MNIST's.
        stroke = _warp(
            _pick(pens[digit], random),
            random,
            height=(25, 28),
            degrees=8,
            shear=0.2,
            translate=0.7,
            lean=_USPS_LEAN,
            stretch=random.uniform(0.8, 1.3),
        )
        soft = Image.fromarray((255 * stroke).astype(np.uint8)).filter(
            ImageFilter.GaussianBlur(0.8)
        )
        return np.asarray(soft)[..., None]

    return paint


def svhn(split: str, seed: int) -> Painter:
    """House numbers; neither the split nor the seed changes the fonts."""
    fonts = _fonts()

    def paint(digit: int, random: np.random.Generator) -> np.ndarray:
        font = random.integers(len(fonts))
        fill = fonts[font][digit].astype(np.float32)
        gap = _GLYPH * random.uniform(0.36, 0.46)
        for side in (-1, 1):
            if random.random() < 0.35:
                neighbor = fonts[font][random.integers(NUM_DIGITS)].astype(np.float32)
                fill = np.maximum(fill, _shifted(neighbor, round(side * gap)))
        mask = _warp(
            fill / 255, random, height=(20, 25), degrees=6, shear=0.12, translate=1.5, keystone=0.08
        )
        ink, paper = _colors(random)
        ramp = np.linspace(-1, 1, SIZE, dtype=np.float32)
        light = random.normal(0, 10, (2, 1)) * ramp
        image = paper + (ink - paper) * mask[..., None] + (light[0][:, None] + light[1])[..., None]
        blurred = Image.fromarray(image.clip(0, 255).astype(np.uint8)).filter(
            ImageFilter.GaussianBlur(random.uniform(0.2, 0.9))
        )
        return np.asarray(blurred)

    return paint


def _patch(photo: Image.Image, random: np.random.Generator) -> np.ndarray:
    """A random square of a photograph, enlarged 1.5 to 3 times: float32 (28, 28, 3) in [0, 255].

    The photographs are sharper per pixel than those of BSDS500, which the recipe uses.
    """
    side = SIZE / random.uniform(1.5, 3)
    left = random.uniform(0, photo.width - side)
    top = random.uniform(0, photo.height - side)
    box = (left, top, left + side, top + side)
    return np.asarray(photo.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box), np.float32)


def _colors(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Ink and paper, RGB float32 (3,), `_CONTRAST` or more apart in luminance."""
    luma = np.array(LUMA, np.float32)
    while True:
        gray = random.uniform(20, 235, (2, 1))
        pair = (gray + random.normal(0, 28, (2, 3))).clip(0, 255).astype(np.float32)
        if abs(float((pair[0] - pair[1]) @ luma)) >= _CONTRAST:
            return pair[0], pair[1]


def _pick(pens: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return pens[random.integers(len(pens))]


def _shifted(mask: np.ndarray, columns: int) -> np.ndarray:
    out = np.zeros_like(mask)
    if columns > 0:
        out[:, columns:] = mask[:, :-columns]
    else:
        out[:, :columns] = mask[:, -columns:]
    return out


def _warp(
    mask: np.ndarray,
    random: np.random.Generator,
    *,
    height: tuple[float, float],
    degrees: float,
    shear: float,
    translate: float,
    keystone: float = 0.0,
    lean: float = 0.0,
    stretch: float = 1.0,
) -> np.ndarray:
    """A random view of a mask float32 (112, 112) in [0, 1]: float32 (28, 28) in [0, 1].

    Args:
        mask: The glyph or the enlarged scan.
        random: Random generator of the view.
        height: Range of the digit's height in pixels.
        degrees: Rotations are uniform between minus and plus this angle.
        shear: Slopes are uniform between minus and plus this value.
        translate: Shifts are uniform between minus and plus this many pixels.
        keystone: Perspective slopes are uniform between minus and plus this value.
        lean: Slope to the right of every view.
        stretch: Factor of the width.
    """
    angle = np.deg2rad(random.uniform(-degrees, degrees))
    scale = _GLYPH / 2 / random.uniform(*height)  # the mask's subject is half the canvas high
    slant = random.uniform(-shear, shear) + lean
    a, b = scale * np.cos(angle) / stretch, scale * (np.sin(angle) + slant) / stretch
    c, d = -scale * np.sin(angle), scale * np.cos(angle)
    dx, dy = random.uniform(-translate, translate, 2) + SIZE / 2
    g, h = random.uniform(-keystone, keystone, 2) / SIZE
    # Output pixel (x, y) reads the mask at ((a x + b y + e) / (g x + h y + 1), ...), PIL's
    # convention.
    center = _GLYPH / 2
    e, f = (
        center * (g * dx + h * dy + 1) - a * dx - b * dy,
        center * (g * dx + h * dy + 1) - c * dx - d * dy,
    )
    view = Image.fromarray(mask).transform(
        (SIZE, SIZE),
        Image.Transform.PERSPECTIVE,
        (a, b, e, c, d, f, g, h),
        resample=Image.Resampling.BICUBIC,
    )
    return np.asarray(view).clip(0, 1)


def _pens(domain: str, split: str, seed: int, edge: float = _EDGE) -> list[np.ndarray]:
    """Enlarged scans by digit: ten arrays float32 (n, 112, 112) in [0, 1], about 56 high."""
    ink, digits = glyphs.scans(domain, split, seed)
    big = np.stack([_enlarge(scan, edge) for scan in ink])
    return [big[digits == digit] for digit in range(NUM_DIGITS)]


def _enlarge(scan: np.ndarray, edge: float) -> np.ndarray:
    """An 8x8 scan as a smooth stroke on a 112x112 canvas.

    Bicubic enlargement blurs; a soft threshold at the share `edge` of ink restores the edges of
    strokes (lower is bolder), and a final small blur avoids aliasing when warping.
    """
    half = _GLYPH // 2
    gray = np.asarray(Image.fromarray(scan).resize((half, half), Image.Resampling.BICUBIC))
    sharp = 1 / (1 + np.exp(-10 * (gray - edge)))
    canvas = np.zeros((_GLYPH, _GLYPH), np.float32)
    canvas[half // 2 : half // 2 + half, half // 2 : half // 2 + half] = sharp
    soft = Image.fromarray((255 * canvas).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.5))
    return np.asarray(soft, np.float32) / 255


@cache
def _fonts() -> tuple[np.ndarray, ...]:
    """Digits 0 to 9 of each font, centered, half the canvas high: uint8 (10, 112, 112) each."""
    return tuple(
        np.stack([_glyph(path, digit) for digit in range(NUM_DIGITS)])
        for path in glyphs.font_paths()
    )


def _glyph(path: Path, digit: int) -> np.ndarray:
    font = ImageFont.truetype(str(path), _GLYPH)
    _, top, _, bottom = font.getbbox("0")
    font = ImageFont.truetype(str(path), round(_GLYPH * (_GLYPH / 2) / (bottom - top)))
    canvas = Image.new("L", (_GLYPH, _GLYPH))
    ImageDraw.Draw(canvas).text((_GLYPH / 2, _GLYPH / 2), str(digit), 255, font, anchor="mm")
    return np.asarray(canvas)

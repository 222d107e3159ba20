"""Three domains of synthetic digits, 28x28, drawn from a seed without a download.

`mnistm` follows the recipe of MNIST-M (Ganin et al., 2016): |digit - photo patch|. `svhn` looks
like cropped house numbers: fonts, colours, neighbours cut in at the sides, perspective, blur.
`usps` is grey and in another hand: it fills the frame, leans, and is written with any pen.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from hw2 import rng
from hw2.digits import glyphs as material
from hw2.digits.labels import NUM_DIGITS

SIZE = 28
_CONTRAST = 70  # grey levels that ink and paper differ by at least, so that a person can read it
_EDGE = 0.42  # share of ink at which a stroke of a scan ends
_USPS_EDGES = (0.3, 0.42, 0.56)  # the same for a bold pen, a middle one and a fine one
_USPS_LEAN = 0.5
_GLYPH = 4 * SIZE  # glyphs and enlarged scans are kept at four times the size and warped down


def draw(domain: str, split: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` images of one domain and split, digits in equal shares and random order.

    Returns:
        `(images, digits)`: uint8 (count, 28, 28, 3), or (count, 28, 28, 1) for `usps`, and int64
        (count,).
    """
    random = rng.numpy_rng(seed, "digits", domain, split)
    digits = random.permutation(np.arange(count) % NUM_DIGITS)
    paint = _PAINTERS[domain](split, seed)
    return np.stack([paint(int(digit), random) for digit in digits]), digits


Painter = Callable[[int, np.random.Generator], np.ndarray]


def _mnistm(split: str, seed: int) -> Painter:
    pens = _pens("mnistm", split, seed)
    photos = [Image.fromarray(photo) for photo in material.photos(split)]

    def paint(digit: int, random: np.random.Generator) -> np.ndarray:
        stroke = _warp(
            _pick(pens[digit], random), random, height=(18, 21), turn=10, shear=0.15, shift=1.5
        )
        while True:
            patch = _patch(photos[random.integers(len(photos))], random)
            contrast = np.abs(255 - 2 * patch).mean(-1)  # of ink to paper, were the pixel ink
            if (contrast * stroke).sum() >= _CONTRAST * stroke.sum():
                break  # on mid-grey |digit - patch| leaves nothing to see
        return np.abs(patch - 255 * stroke[..., None]).round().astype(np.uint8)

    return paint


def _usps(split: str, seed: int) -> Painter:
    pens = [
        np.concatenate(scans)
        for scans in zip(*(_pens("usps", split, seed, edge) for edge in _USPS_EDGES), strict=True)
    ]

    def paint(digit: int, random: np.random.Generator) -> np.ndarray:
        # USPS digits fill their frame whatever their width was, lean to the right, are written
        # with pens from fine to bold, and are softer than MNIST's.
        stroke = _warp(
            _pick(pens[digit], random),
            random,
            height=(25, 28),
            turn=8,
            shear=0.2,
            shift=0.7,
            lean=_USPS_LEAN,
            stretch=random.uniform(0.8, 1.3),
        )
        soft = Image.fromarray((255 * stroke).astype(np.uint8)).filter(
            ImageFilter.GaussianBlur(0.8)
        )
        return np.asarray(soft)[..., None]

    return paint


def _svhn(split: str, seed: int) -> Painter:
    glyphs = _glyphs()

    def paint(digit: int, random: np.random.Generator) -> np.ndarray:
        font = random.integers(len(glyphs))
        fill = glyphs[font][digit].astype(np.float32)
        gap = _GLYPH * random.uniform(0.36, 0.46)
        for side in (-1, 1):
            if random.random() < 0.35:
                neighbour = glyphs[font][random.integers(NUM_DIGITS)].astype(np.float32)
                fill = np.maximum(fill, _shifted(neighbour, round(side * gap)))
        mask = _warp(
            fill / 255, random, height=(20, 25), turn=6, shear=0.12, shift=1.5, keystone=0.08
        )
        ink, paper = _colours(random)
        ramp = np.linspace(-1, 1, SIZE, dtype=np.float32)
        light = random.normal(0, 10, (2, 1)) * ramp
        image = paper + (ink - paper) * mask[..., None] + (light[0][:, None] + light[1])[..., None]
        blurred = Image.fromarray(image.clip(0, 255).astype(np.uint8)).filter(
            ImageFilter.GaussianBlur(random.uniform(0.2, 0.9))
        )
        return np.asarray(blurred)

    return paint


_PAINTERS: dict[str, Callable[[str, int], Painter]] = {
    "mnistm": _mnistm,
    "svhn": _svhn,
    "usps": _usps,
}


DOMAINS = tuple(_PAINTERS)
"""The domains that can be drawn."""


def _patch(photo: Image.Image, random: np.random.Generator) -> np.ndarray:
    """A random square of a photograph, enlarged 1.5 to 3 times: float32 (28, 28, 3) in [0, 255].

    The photographs at hand are sharper per pixel than the BSDS500 ones of the recipe.
    """
    side = SIZE / random.uniform(1.5, 3)
    left = random.uniform(0, photo.width - side)
    top = random.uniform(0, photo.height - side)
    box = (left, top, left + side, top + side)
    return np.asarray(photo.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box), np.float32)


def _colours(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Ink and paper, RGB float32 (3,), `_CONTRAST` or more apart in luminance."""
    luma = np.array([0.299, 0.587, 0.114], np.float32)
    while True:
        grey = random.uniform(20, 235, (2, 1))
        pair = (grey + random.normal(0, 28, (2, 3))).clip(0, 255).astype(np.float32)
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
    turn: float,
    shear: float,
    shift: float,
    keystone: float = 0.0,
    lean: float = 0.0,
    stretch: float = 1.0,
) -> np.ndarray:
    """A random view of a mask float32 (112, 112) in [0, 1]: float32 (28, 28) in [0, 1].

    `height` is the range of the drawn height in pixels, `turn` degrees, `shear` and `keystone`
    slopes, `shift` pixels; angles and slopes are uniform in plus or minus the value. `lean` is the
    slope to the right that all have, `stretch` the width over what it was.
    """
    angle = np.deg2rad(random.uniform(-turn, turn))
    scale = _GLYPH / 2 / random.uniform(*height)  # the mask's subject is half the canvas high
    slant = random.uniform(-shear, shear) + lean
    a, b = scale * np.cos(angle) / stretch, scale * (np.sin(angle) + slant) / stretch
    c, d = -scale * np.sin(angle), scale * np.cos(angle)
    dx, dy = random.uniform(-shift, shift, 2) + SIZE / 2
    g, h = random.uniform(-keystone, keystone, 2) / SIZE
    # Output pixel (x, y) reads the mask at ((a x + b y + e) / (g x + h y + 1), ...), PIL's
    # convention.
    centre = _GLYPH / 2
    e, f = (
        centre * (g * dx + h * dy + 1) - a * dx - b * dy,
        centre * (g * dx + h * dy + 1) - c * dx - d * dy,
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
    ink, digits = material.scans(domain, split, seed)
    big = np.stack([_enlarge(scan, edge) for scan in ink])
    return [big[digits == digit] for digit in range(NUM_DIGITS)]


def _enlarge(scan: np.ndarray, edge: float) -> np.ndarray:
    """An 8x8 scan as a smooth stroke on a 112x112 canvas.

    Bicubic enlargement blurs; a soft threshold at the share `edge` of ink gives the stroke its
    edge back, bolder for less, and a last small blur keeps warping free of aliasing.
    """
    half = _GLYPH // 2
    grey = np.asarray(Image.fromarray(scan).resize((half, half), Image.Resampling.BICUBIC))
    sharp = 1 / (1 + np.exp(-10 * (grey - edge)))
    canvas = np.zeros((_GLYPH, _GLYPH), np.float32)
    canvas[half // 2 : half // 2 + half, half // 2 : half // 2 + half] = sharp
    soft = Image.fromarray((255 * canvas).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.5))
    return np.asarray(soft, np.float32) / 255


@cache
def _glyphs() -> tuple[np.ndarray, ...]:
    """Digits 0 to 9 of each font, centred, half the canvas high: uint8 (10, 112, 112) each."""
    return tuple(
        np.stack([_glyph(path, digit) for digit in range(NUM_DIGITS)])
        for path in material.font_paths()
    )


def _glyph(path: Path, digit: int) -> np.ndarray:
    font = ImageFont.truetype(str(path), _GLYPH)
    _, top, _, bottom = font.getbbox("0")
    font = ImageFont.truetype(str(path), round(_GLYPH * (_GLYPH / 2) / (bottom - top)))
    canvas = Image.new("L", (_GLYPH, _GLYPH))
    ImageDraw.Draw(canvas).text((_GLYPH / 2, _GLYPH / 2), str(digit), 255, font, anchor="mm")
    return np.asarray(canvas)

"""SVHN-like digits: cropped house numbers, with parts of their neighbors.

They have what makes SVHN hard (Netzer et al., 2011): neighbors at the sides, any colors, low
contrast, shadows, boards and their frames, uneven light, perspective, blur and noise.
"""

import numpy as np
from PIL import Image, ImageFilter

from hw2.digits.drawing import backgrounds, typefaces
from hw2.digits.drawing.painter import Painter
from hw2.digits.drawing.typefaces import CANVAS, HEIGHT, Typeface
from hw2.digits.labels import NUM_DIGITS
from hw2.io.images import LUMA

SIZE = 28
_NEIGHBOR = 0.45  # probability of a neighbor at each side
_FONT_SHARE = 0.12  # of the images in Matplotlib's fonts
_BLUE_TO_RED = np.array([1.0, 0.1, -1.1])  # the main direction of the hues of walls and boards
_CONTRAST = (88, 0.5, 26)  # of ink and paper in gray levels: median, spread of logarithm, least


def painter(split: str, seed: int) -> Painter:
    """The painter of a split."""
    faces = typefaces.load(split, seed)
    scenery = backgrounds.load(split, seed)

    def paint(digits: np.ndarray, random: np.random.Generator) -> np.ndarray:
        rows = (_row(_pick(faces, split, random), digit, random) for digit in digits)
        ink = np.stack([_view(row, random) for row in rows])
        return _photographed(_painted(ink, scenery, random), random)

    return paint


def _pick(faces: list[Typeface], split: str, random: np.random.Generator) -> Typeface:
    drawn = typefaces.DRAWN[split]
    low, high = (drawn, len(faces)) if random.random() < _FONT_SHARE else (0, drawn)
    return faces[random.integers(low, high)]


def _row(face: Typeface, digit: int, random: np.random.Generator) -> np.ndarray:
    """A digit with its neighbors: uint8 (112, 336), the digit in the center."""
    row = np.zeros((CANVAS, 3 * CANVAS), np.uint8)
    row[:, CANVAS : 2 * CANVAS] = face.glyphs[digit]
    space = HEIGHT * random.uniform(0.04, 0.28)
    for side in (-1, 1):
        other = random.integers(NUM_DIGITS)
        if random.random() < _NEIGHBOR:
            gap = round((face.widths[digit] + face.widths[other]) / 2 + space)
            start = CANVAS + side * min(gap, CANVAS)
            part = row[:, start : start + CANVAS]
            np.maximum(part, face.glyphs[other], out=part)
    return row


def _view(row: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A row from a random direction, cropped to its center: float32 (28, 28) in [0, 1]."""
    angle = np.deg2rad(random.normal(0, 4))
    scale = HEIGHT / random.uniform(17.5, 25)
    stretch, slant = np.exp(random.normal(0, 0.08)), random.normal(0, 0.08)
    a, b = scale * np.cos(angle) / stretch, scale * (np.sin(angle) + slant) / stretch
    c, d = -scale * np.sin(angle), scale * np.cos(angle)
    dx, dy = random.normal(0, 1.0, 2).clip(-2.5, 2.5) + SIZE / 2
    g, h = random.uniform(-0.08, 0.08, 2) / SIZE
    # Pixel (x, y) reads the row at ((a x + b y + e) / (g x + h y + 1), ...), Pillow's convention.
    depth = g * dx + h * dy + 1
    e = row.shape[1] / 2 * depth - a * dx - b * dy
    f = row.shape[0] / 2 * depth - c * dx - d * dy
    view = Image.fromarray(row).transform(
        (SIZE, SIZE),
        Image.Transform.PERSPECTIVE,
        (a, b, e, c, d, f, g, h),
        resample=Image.Resampling.BICUBIC,
    )
    return np.asarray(view, np.float32) / 255


def _painted(
    ink: np.ndarray, scenery: backgrounds.Backgrounds, random: np.random.Generator
) -> np.ndarray:
    """Ink in a random color on a random wall or board: float32 (N, 28, 28, 3)."""
    count = len(ink)
    front, paper = _colors(count, random)
    wall = np.broadcast_to(paper[:, None, None], (count, SIZE, SIZE, 3)).copy()
    framed = np.flatnonzero(random.random(count) < 0.3)
    frame = _frames(len(framed), random)[..., None]
    border = (paper[framed] + random.normal(0, 40, (len(framed), 1))).clip(0, 255)
    wall[framed] += frame * (border[:, None, None] - wall[framed])
    texture = scenery.patches(count, random)
    strength = random.uniform(0, 0.25, (count, 1, 1, 1)) * (random.random((count, 1, 1, 1)) < 0.6)
    wall += strength * (texture - texture.mean((1, 2), keepdims=True))
    shadow = np.roll(ink, (1, 1), (1, 2))[..., None] * random.uniform(0, 60, (count, 1, 1, 1))
    wall -= shadow * (random.random((count, 1, 1, 1)) < 0.25)
    mask = ink[..., None]
    return (wall + mask * (front[:, None, None] - wall)).astype(np.float32)


def _colors(count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Ink and paper, RGB float (N, 3) in [0, 255], of a random difference in luminance."""
    median, spread, least = _CONTRAST
    contrast = np.exp(random.normal(np.log(median), spread, count)).clip(least, 200)
    middle = random.uniform(20 + contrast / 2, 235 - contrast / 2)
    sign = random.choice((-1, 1), count)
    pair = []
    for side in (sign, -sign):
        strength = np.exp(random.normal(2.2, 0.8, (count, 1)))
        main, rest = random.normal(0, 0.9, (count, 1)), random.normal(0, 0.35, (count, 3))
        hue = strength * (main * _BLUE_TO_RED + rest)
        hue -= (hue @ np.array(LUMA))[:, None]
        pair.append(((middle + side * contrast / 2)[:, None] + hue).clip(0, 255))
    return pair[0], pair[1]


def _frames(count: int, random: np.random.Generator) -> np.ndarray:
    """The part of an image beyond the edge of a board: (N, 28, 28) in [0, 1]."""
    at = random.uniform(0, 4, (count, 1))
    pixels = np.arange(SIZE)
    edge = (at - pixels).clip(0, 1) * (random.random((count, 1)) < 0.7)
    other = (pixels - (SIZE - 1 - at)).clip(0, 1) * (random.random((count, 1)) < 0.7)
    lines = np.maximum(edge, other)
    upright = (random.random(count) < 0.5)[:, None, None]
    full = np.broadcast_to(lines[:, :, None], (count, SIZE, SIZE))
    return np.where(upright, full, full.transpose(0, 2, 1))


def _photographed(scenes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Uneven light, blur and noise: uint8 (N, 28, 28, 3)."""
    count = len(scenes)
    ramp = np.linspace(-1, 1, SIZE)
    light = random.normal(0, 9, (2, count, 1))
    scenes = scenes + (
        (light[0] * ramp)[:, :, None, None] + (light[1] * ramp)[:, None, :, None]
    ).astype(np.float32)
    radii = np.exp(random.normal(-0.3, 0.45, count)).clip(0.3, 1.9).tolist()
    sharp = scenes.clip(0, 255).astype(np.uint8)
    soft = np.stack([_blurred(*pair) for pair in zip(sharp, radii, strict=True)])
    noise = random.normal(0, 1, soft.shape) * random.uniform(0, 2.5, (count, 1, 1, 1))
    return (soft + noise).clip(0, 255).round().astype(np.uint8)


def _blurred(image: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))

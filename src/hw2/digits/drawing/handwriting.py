"""Handwritten digits in the frames of MNIST and of USPS.

Both sets scaled each digit until its longer side filled a box. MNIST's box has 20 pixels, and the
digit's center of mass is the center of 28x28 pixels (LeCun et al., 1998). USPS's box is the whole
image of 16x16 pixels, and slants were removed: the skew of the moments of its images is 0.
docs/synthetic-digits.md compares measurements of both sets with those of these digits.
"""

import numpy as np
from PIL import Image

from hw2.digits.drawing import hands, pen
from hw2.digits.drawing.hands import Hands, Style

SIZE = 28
MNIST_STYLE = Style(slant=(0.17, 0.24), pen=(0.22, 0.22), aspect=(0.05, 0.15))
USPS_STYLE = Style(
    slant=(0.0, 0.1), pen=(0.05, 0.24), aspect=(0.03, 0.26), carelessness=(0.2, 0.25)
)
_MNIST_BOX, _USPS_BOX = 20, 16
_MNIST_SOFTNESS, _USPS_SOFTNESS = 1.0, 1.0


def mnist_like(table: Hands, digits: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Ink float32 (N, 28, 28) in [0, 1]."""
    points, radii = hands.write(table, digits, random)
    points = _fitted(points, radii, _MNIST_BOX)
    mass = (points * radii[..., None]).sum(1) / radii.sum(1)[:, None]
    points += SIZE / 2 - mass[:, None]
    return pen.draw(points, radii, SIZE, _MNIST_SOFTNESS)


def usps_like(table: Hands, digits: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Ink float32 (N, 28, 28) in [0, 1], enlarged from 16x16 pixels as the real images are."""
    points, radii = hands.write(table, digits, random)
    points = _fitted(_deslanted(points, radii), radii, _USPS_BOX)
    points += (_USPS_BOX - points.max(1, keepdims=True) - points.min(1, keepdims=True)) / 2
    small = pen.draw(points, radii, _USPS_BOX, _USPS_SOFTNESS)
    return np.stack([_enlarged(ink) for ink in small])


def _enlarged(ink: np.ndarray) -> np.ndarray:
    """16x16 pixels as 28x28, in [0, 1]."""
    big = Image.fromarray(ink).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return np.asarray(big).clip(0, 1)


def _deslanted(points: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Shear until x and y do not correlate; the mass of a point is its radius."""
    mass = radii / radii.sum(1, keepdims=True)
    x, y = np.moveaxis(points - (points * mass[..., None]).sum(1, keepdims=True), -1, 0)
    slope = (mass * x * y).sum(1) / (mass * y * y).sum(1)
    return np.stack([x - slope[:, None] * y, y], -1)


def _fitted(points: np.ndarray, radii: np.ndarray, box: int) -> np.ndarray:
    """Scale points until the longer side of the ink is `box` pixels; the pen keeps its size."""
    extent = np.ptp(points, axis=1).max(1)
    room = box - 2 * radii.max(1)
    return points * (room / extent)[:, None, None]

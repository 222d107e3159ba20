"""Synthetic faces, a substitute for photographs: analytic shapes with antialiased edges.

Lengths are in half widths of the image: x and y run from -1 to 1, y downwards. A face has a number
for each trait. Traits are independent, and face k does not depend on the number of faces.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw2 import rng

Array = NDArray[np.float32]
_CHUNK = 32  # faces at a time: their pixels stay in the processor's cache

# Colors are RGB in [0, 1].
_SKIN = ((0.98, 0.85, 0.74), (0.93, 0.74, 0.58), (0.78, 0.56, 0.40), (0.52, 0.35, 0.25))
_HAIR = (
    *((0.12, 0.09, 0.08), (0.36, 0.22, 0.12), (0.93, 0.77, 0.42)),
    *((0.72, 0.30, 0.12), (0.74, 0.74, 0.76)),
)
_IRIS = ((0.20, 0.42, 0.72), (0.28, 0.52, 0.30), (0.36, 0.22, 0.12), (0.45, 0.50, 0.55))
_SHIRT = (
    *((0.80, 0.24, 0.24), (0.20, 0.40, 0.72), (0.22, 0.58, 0.40)),
    *((0.93, 0.93, 0.93), (0.28, 0.26, 0.34)),
)
_BACKGROUND = (
    *((0.66, 0.82, 0.93), (0.95, 0.87, 0.68), (0.74, 0.88, 0.72)),
    *((0.90, 0.74, 0.78), (0.80, 0.78, 0.92)),
)
_BALD, _SHORT, _LONG = 0.12, 0.58, 1.0  # cumulative shares of the hair styles
_GLASSES = 0.25  # share of faces


@dataclass(frozen=True)
class _Sheet:
    """Rows of images that are being painted: `pixels` float32 (3, N, R, S) in [0, 1]."""

    pixels: Array
    x: Array  # (1, 1, S)
    y: Array  # (1, R, 1)

    def rows(self, low: float, high: float) -> "_Sheet":
        """The rows with y from `low` to `high`, for shapes that do not extend beyond them."""
        first, last = np.searchsorted(self.y[0, :, 0], [low, high])
        return _Sheet(self.pixels[:, :, first:last], self.x, self.y[:, first:last])

    def paint(self, distance: Array, color: Array, opacity: Array | float = 1.0) -> None:
        """Paint `color` (N, 3) where the signed `distance` (N, R, S) is negative.

        Edges are one pixel wide.
        """
        pixel = np.float32(2 / self.pixels.shape[3])
        cover = np.clip(np.float32(0.5) - distance / pixel, 0, 1) * opacity
        for plane, shade in zip(self.pixels, color.T, strict=True):
            plane += cover * (shade[:, None, None] - plane)


def draw(count: int, size: int, seed: int) -> NDArray[np.uint8]:
    """Draw `count` faces: uint8 (count, size, size, 3)."""
    images = np.empty((count, size, size, 3), np.uint8)
    traits = _Traits(seed, count)
    for start in range(0, count, _CHUNK):
        rows = slice(start, min(start + _CHUNK, count))
        images[rows] = (_paint(traits.of(rows), size) * 255).round().astype(np.uint8)
    return images


class _Traits:
    """The random traits of the faces; each trait has its own random stream."""

    def __init__(self, seed: int, count: int, rows: slice = slice(None)) -> None:
        self._seed, self._count, self._rows = seed, count, rows

    def of(self, rows: slice) -> "_Traits":
        return _Traits(self._seed, self._count, rows)

    def share(self, name: str) -> Array:
        """Uniform in [0, 1): float32 (N, 1, 1)."""
        values = rng.numpy_rng(self._seed, "face", name).random(self._count)[self._rows]
        return values.astype(np.float32)[:, None, None]

    def span(self, name: str, low: float, high: float) -> Array:
        """Uniform between two values: float32 (N, 1, 1)."""
        return low + (high - low) * self.share(name)

    def color(self, name: str, palette: tuple[tuple[float, float, float], ...]) -> Array:
        """A color of the palette, made slightly lighter or darker: float32 (N, 3)."""
        which = (self.share(name).ravel() * len(palette)).astype(int)
        shade = self.span(f"{name} shade", 0.9, 1.06)[:, :, 0]
        return np.clip(np.array(palette, np.float32)[which] * shade, 0, 1)


def _paint(of: _Traits, size: int) -> Array:
    """Faces float32 (N, size, size, 3) in [0, 1]."""
    middle = (np.arange(size, dtype=np.float32) + 0.5) * np.float32(2 / size) - 1
    ground = of.color("background", _BACKGROUND).T[:, :, None, None]
    light = (1.04 - 0.10 * middle[:, None]).astype(np.float32)  # lighter above
    pixels = np.repeat(np.clip(ground * light, 0, 1), size, axis=3)
    whole = _Sheet(pixels, middle[None, None], middle[None, :, None])
    for layer, low, high in _LAYERS:
        canvas = whole.rows(low, high)
        layer(canvas, of, _Head(canvas, of))
    return pixels.transpose(1, 2, 3, 0)


class _Head:
    """Coordinates in which the head is an ellipse around the origin."""

    def __init__(self, canvas: _Sheet, of: _Traits) -> None:
        self.scale = of.span("scale", 1.14, 1.20)
        self.x = (canvas.x - of.span("x", -0.03, 0.03)) / self.scale
        self.y = (canvas.y - of.span("y", 0.02, 0.06)) / self.scale
        self.wide = of.span("wide", 0.50, 0.55)
        self.tall = of.span("tall", 0.62, 0.67)
        self.level = of.span("eye level", -0.08, -0.04)
        self.skin = of.color("skin", _SKIN)
        self.hair = of.color("hair", _HAIR)
        style = of.share("hair style")
        self.has_hair = (style >= _BALD).astype(np.float32)
        self.is_long = (style >= _SHORT).astype(np.float32)

    def ellipse(
        self, x: Array | float, y: Array | float, rx: Array | float, ry: Array | float
    ) -> Array:
        """Approximate signed distance to an ellipse at (x, y) of the head, in image units."""
        rho = np.sqrt(((self.x - x) / rx) ** 2 + ((self.y - y) / ry) ** 2)
        return (rho - 1) * np.minimum(rx, ry) * self.scale


def _behind(canvas: _Sheet, of: _Traits, head: _Head) -> None:
    """Long hair, behind the shoulders."""
    fall = of.span("fall", 0.80, 0.95)
    outer = head.ellipse(0, fall - 0.62, head.wide + 0.17, fall)
    canvas.paint(outer, 0.86 * head.hair, head.is_long)


def _body(canvas: _Sheet, of: _Traits, head: _Head) -> None:
    canvas.paint(
        head.ellipse(0, 1.30, of.span("shoulders", 0.82, 0.92), 0.52), of.color("shirt", _SHIRT)
    )
    canvas.paint(head.ellipse(0, 0.66, 0.20, 0.26), 0.86 * head.skin)


def _skull(canvas: _Sheet, of: _Traits, head: _Head) -> None:
    for side in (-1, 1):
        canvas.paint(head.ellipse(side * head.wide, 0.04, 0.09, 0.14), 0.90 * head.skin)
    canvas.paint(head.ellipse(0, 0, head.wide, head.tall), head.skin)
    for side in (-1, 1):  # cheeks
        blush = np.clip(-head.ellipse(side * 0.30, 0.22, 0.16, 0.13) / 0.10, 0, 1)
        warm = np.clip(head.skin * np.array([1.02, 0.84, 0.82], np.float32), 0, 1)
        canvas.paint(np.full_like(blush, -1), warm, 0.7 * blush)


def _fringe(canvas: _Sheet, of: _Traits, head: _Head) -> None:
    """Hair above a slanted line that is lower at the sides than on the forehead."""
    cap = head.ellipse(0, -0.06, head.wide + 0.07, head.tall + 0.07)
    line = of.span("fringe", -0.40, -0.28) + of.span("parting", -0.30, 0.30) * head.x
    line = line + of.span("temples", 0.4, 1.2) * head.x**2
    below = (head.y - line) * 0.85 * head.scale
    canvas.paint(np.maximum(cap, below), head.hair, head.has_hair)


def _eyes(canvas: _Sheet, of: _Traits, head: _Head) -> None:
    apart, level = of.span("eyes apart", 0.215, 0.24), head.level
    size, look = of.span("eye size", 0.11, 0.13), of.span("look", -0.03, 0.03)
    iris, lift = of.color("iris", _IRIS), of.span("brows", 0.0, 0.06)
    white, black = np.full_like(iris, 0.98), np.full_like(iris, 0.06)
    brow = np.where(head.has_hair[:, 0] > 0, 0.75 * head.hair, 0.45 * head.skin).astype(np.float32)
    for side in (-1, 1):
        x = side * apart
        canvas.paint(head.ellipse(x, level, 1.25 * size, size), white)
        canvas.paint(head.ellipse(x + look, level, 0.72 * size, 0.80 * size), iris)
        canvas.paint(head.ellipse(x + look, level, 0.38 * size, 0.42 * size), black)
        arch = level - 0.17 - lift + 1.5 * (head.x - x) ** 2
        stroke = np.abs(head.y - arch) - 0.030
        ends = np.abs(head.x - x) - 0.14
        canvas.paint(np.maximum(stroke, ends) * head.scale, brow)


def _mouth(canvas: _Sheet, of: _Traits, head: _Head) -> None:
    nose = head.ellipse(0, 0.13, of.span("nose", 0.05, 0.08), 0.075)
    canvas.paint(nose, 0.82 * head.skin)
    bend, wide = of.span("smile", -0.25, 1.4), of.span("mouth", 0.15, 0.24)
    curve = 0.36 + bend * (0.02 - head.x**2)
    stroke = np.abs(head.y - curve) - of.span("lips", 0.030, 0.052)
    ends = np.abs(head.x) - wide
    red = np.clip(head.skin * np.array([0.85, 0.42, 0.42], np.float32), 0, 1)
    canvas.paint(np.maximum(stroke, ends) * head.scale, red)


def _glasses(canvas: _Sheet, of: _Traits, head: _Head) -> None:
    """Dark round or oval rims around the eyes, with a bridge."""
    worn = (of.share("glasses") < _GLASSES).astype(np.float32)
    rim, level = of.span("rim", 0.19, 0.21), head.level
    dark = np.full_like(head.skin, 0.14)
    for side in (-1, 1):
        ring = head.ellipse(side * 0.235, level, rim, 0.9 * rim)
        canvas.paint(np.abs(ring) - np.float32(0.022), dark, worn)
    bridge = np.maximum(np.abs(head.y - level + 0.03) - 0.022, np.abs(head.x) - 0.045)
    canvas.paint(bridge * head.scale, dark, worn)


# Each layer with the range of y that it may cover, from back to front.
_LAYERS: tuple[tuple[Callable[[_Sheet, _Traits, _Head], None], float, float], ...] = (
    *((_behind, -1, 1), (_body, 0.3, 1), (_skull, -1, 1), (_fringe, -1, 0.7)),
    *((_eyes, -0.6, 0.4), (_mouth, -0.1, 0.9), (_glasses, -0.5, 0.5)),
)

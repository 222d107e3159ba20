"""Signed distances to the outlines of the shapes, negative inside.

Coordinates are those of the object: its radius is 1, x points right, y points down. The formulas
are those of I. Quilez (2D distance functions), or approximations that are exact at the outline.
"""

from collections.abc import Callable

import numpy as np

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
_HALF = np.float32(np.sqrt(0.5))


def _circle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.hypot(x, y) - 0.9


def _box(x: np.ndarray, y: np.ndarray, half_x: float, half_y: float) -> np.ndarray:
    return np.maximum(np.abs(x) - half_x, np.abs(y) - half_y)


def _square(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _box(x, y, 0.78, 0.78)


def _half_planes(x: np.ndarray, y: np.ndarray, sides: int, inner: float, turn: float) -> np.ndarray:
    """A regular polygon as the largest distance to a side; `inner` is the incircle's radius."""
    angles = turn + 2 * np.pi * np.arange(sides) / sides
    distance = x * np.float32(np.cos(angles[0])) + y * np.float32(np.sin(angles[0]))
    for angle in angles[1:]:
        np.maximum(
            distance, x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)), out=distance
        )
    return distance - inner


def _triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _half_planes(x, y - 0.15, 3, 0.55, np.pi / 2)


def _diamond(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (np.abs(x) * 1.45 + np.abs(y) - 1) / np.float32(np.hypot(1.45, 1))


def _hexagon(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _half_planes(x, y, 6, 0.8, 0.0)


def _star(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A five-pointed star: the edge from a tip to a notch, after folding the plane to a tenth."""
    angle = np.arctan2(x, -y)
    sector = np.float32(2 * np.pi / 5)
    folded = np.abs((angle + sector / 2) % sector - sector / 2)
    radius = np.hypot(x, y)
    tip, notch = np.array([0.0, 1.0]), 0.42 * np.array([np.sin(np.pi / 5), np.cos(np.pi / 5)])
    along = notch - tip
    normal = np.array([-along[1], along[0]]) / np.hypot(*along)
    return radius * (
        np.sin(folded) * np.float32(normal[0]) + np.cos(folded) * np.float32(normal[1])
    ) - np.float32(normal @ tip)


def _cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.minimum(_box(x, y, 0.9, 0.3), _box(x, y, 0.3, 0.9))


def _heart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Two lobes above a corner that points down, with sides tangent to the lobes."""
    across, up = np.abs(x), -0.2 - y
    lobe = np.hypot(across - 0.42, up - 0.1) - 0.46
    side = (across - up) * _HALF - (0.32 * _HALF + 0.46)
    corner = np.maximum(side, np.maximum((across + up - 0.52) * _HALF, up - 0.1))
    return np.minimum(lobe, corner)


def _ring(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.abs(np.hypot(x, y) - 0.68) - 0.24


def _moon(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(_circle(x, y), 0.75 - np.hypot(x - 0.45, y))


def _bar(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _box(x, y, 0.95, 0.28)


def _flower(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.hypot(x, y) - 0.68 - 0.24 * np.cos(6 * np.arctan2(y, x))


DISTANCES: dict[str, Distance] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
    "heart": _heart,
    "ring": _ring,
    "diamond": _diamond,
    "moon": _moon,
    "hexagon": _hexagon,
    "bar": _bar,
    "flower": _flower,
}
"""Float32 (N, H, W) coordinates to distances, by shape."""

"""Signed distances to the outlines of objects, negative inside.

Coordinates are those of the object: its radius is about 1, x points right, y points down. An
outline is described by continuous amounts, so that there is an outline between any two. Distances
are exact at the outline and approximate elsewhere.
"""

from dataclasses import dataclass

import numpy as np

POLAR, HEART, CROSS = range(3)
"""Families of outlines."""
_SQRT_HALF = np.float32(np.sqrt(0.5))


@dataclass(frozen=True)
class Outlines:
    """M outlines, as arrays of length M.

    Attributes:
        family: int, POLAR, HEART or CROSS.
        lobes: int, number of points or petals of a POLAR outline, at least 3.
        notch: float in (0, 1], smallest radius between two lobes; the radius at a lobe is 1.
        roundness: float in [0, 1], from straight edges (polygons, stars) to waves (petals).
        aspect: float, width relative to height.
        hole: float in [0, 0.6], radius of a round hole at the center.
        bite: float in [0, 1], how far a disc at the right cuts into the outline.
        bend: float in [-0.5, 0.5], curvature of the vertical axis.
    """

    family: np.ndarray
    lobes: np.ndarray
    notch: np.ndarray
    roundness: np.ndarray
    aspect: np.ndarray
    hole: np.ndarray
    bite: np.ndarray
    bend: np.ndarray

    def __len__(self) -> int:
        return len(self.family)

    def __getitem__(self, rows: np.ndarray | slice) -> "Outlines":
        return Outlines(**{name: value[rows] for name, value in vars(self).items()})


def distance(outlines: Outlines, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Signed distances float32 (M, H, W) at the coordinates `x` and `y`, float32 (M, H, W)."""
    aspect, hole, bite, bend = (
        value.astype(np.float32)[:, None, None]
        for value in (outlines.aspect, outlines.hole, outlines.bite, outlines.bend)
    )
    x = x / aspect - bend * (y * y - np.float32(0.4))
    result = np.empty_like(x)
    for family, function in ((HEART, _heart), (CROSS, _cross)):
        rows = np.flatnonzero(outlines.family == family)
        if len(rows):
            result[rows] = function(x[rows], y[rows])
    rows = np.flatnonzero(outlines.family == POLAR)
    if len(rows):
        result[rows] = _polar(outlines[rows], x[rows], y[rows])
    rows = np.flatnonzero(outlines.hole > 0)
    if len(rows):
        result[rows] = np.maximum(result[rows], hole[rows] - np.hypot(x[rows], y[rows]))
    rows = np.flatnonzero(outlines.bite > 0)
    if len(rows):
        center = np.float32(1.35) - np.float32(0.9) * bite[rows]
        cut = np.float32(0.75) - np.hypot(x[rows] - center, y[rows])
        result[rows] = np.maximum(result[rows], cut)
    return result


def _polar(outlines: Outlines, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A radius that is a function of the angle, with a lobe at the top."""
    lobes, notch, roundness = (
        value.astype(np.float32)[:, None, None]
        for value in (outlines.lobes, outlines.notch, outlines.roundness)
    )
    half = np.float32(np.pi) / lobes  # angle from a lobe to the next notch
    angle = np.arctan2(x, -y)
    folded = np.abs((angle + half) % (2 * half) - half)
    # The straight edge from (1, 0) to the notch, in polar coordinates.
    across, along = notch * np.sin(half), notch * np.cos(half) - 1
    straight = across / (np.cos(folded) * across - np.sin(folded) * along)
    wave = notch + (1 - notch) * (np.float32(0.5) + np.float32(0.5) * np.cos(lobes * folded))
    radius = straight + roundness * (wave - straight)
    slope = (1 - notch) / (half * (1 + notch) / 2)
    return (np.hypot(x, y) - np.float32(0.95) * radius) / np.sqrt(1 + slope * slope)


def _heart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Two lobes above a corner that points down, with sides tangent to the lobes."""
    across, up = np.abs(x), -0.2 - y
    lobe = np.hypot(across - 0.42, up - 0.1) - 0.46
    side = (across - up) * _SQRT_HALF - (0.32 * _SQRT_HALF + 0.46)
    corner = np.maximum(side, np.maximum((across + up - 0.52) * _SQRT_HALF, up - 0.1))
    return np.minimum(lobe, corner)


def _cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    bars = (np.maximum(np.abs(x) - a, np.abs(y) - b) for a, b in ((0.9, 0.3), (0.3, 0.9)))
    return np.minimum(*bars)

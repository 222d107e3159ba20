"""Scenes as pictures, many at once."""

from dataclasses import dataclass

import numpy as np

from hw2.shapes.outlines import DISTANCES

KINDS = tuple(DISTANCES)
"""Objects have places in this tuple."""
_PERIOD = 0.62  # of stripes and dots, in radii of the object
_RIM = 0.12  # plain edge around them, in the same units: at 32 pixels an outline stays readable
_CHUNK = 256  # objects at a time, so that what is computed stays in the processor's cache
PLAIN, STRIPED, DOTTED = range(3)


@dataclass(frozen=True)
class Objects:
    """M coloured things, each in a picture.

    Attributes:
        picture: int (M,), which picture; later ones are in front.
        kind: int (M,), place in KINDS.
        position: float (M, 2), centre (x, y) in [-1, 1], y down.
        radius: float (M,), in the same units.
        angle: float (M,), radians, clockwise.
        texture: int (M,), PLAIN, STRIPED or DOTTED.
        fill: float (M, 3), RGB in [0, 1].
        ink: float (M, 3), RGB of stripes or dots.
    """

    picture: np.ndarray
    kind: np.ndarray
    position: np.ndarray
    radius: np.ndarray
    angle: np.ndarray
    texture: np.ndarray
    fill: np.ndarray
    ink: np.ndarray

    def __len__(self) -> int:
        return len(self.picture)

    def __getitem__(self, rows: np.ndarray | slice) -> "Objects":
        return Objects(**{name: value[rows] for name, value in vars(self).items()})


def draw(backgrounds: np.ndarray, objects: Objects, size: int) -> np.ndarray:
    """Pictures uint8 (N, size, size, 3) of `backgrounds`, RGB float (N, 3), with the objects.

    Outlines and textures are antialiased by coverage: a pixel takes the share that an edge at
    its centre's distance leaves.
    """
    canvas = np.empty((len(backgrounds), size, size, 3), np.float32)
    canvas[:] = backgrounds[:, None, None]
    # An object in front is painted after all that are behind it in the same picture.
    depth = _depth(objects.picture)
    for layer in range(int(depth.max(initial=-1)) + 1):
        for kind in range(len(KINDS)):
            rows = np.flatnonzero((depth == layer) & (objects.kind == kind))
            for start in range(0, len(rows), _CHUNK):
                _paint(canvas, objects[rows[start : start + _CHUNK]], KINDS[kind], size)
    return (canvas * 255 + 0.5).clip(0, 255).astype(np.uint8)


def _depth(picture: np.ndarray) -> np.ndarray:
    """How many objects of the same picture come before each: int (M,)."""
    order = np.argsort(picture, kind="stable")
    of = picture[order]
    starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]]) if len(of) else np.array([], int)
    lengths = np.diff(np.r_[starts, len(of)])
    depth = np.empty(len(of), int)
    depth[order] = np.arange(len(of)) - np.repeat(starts, lengths)
    return depth


def _paint(canvas: np.ndarray, objects: Objects, kind: str, size: int) -> None:
    """Paint objects of one kind, each in another picture."""
    ticks = ((np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1)[None, :]
    radius = objects.radius.astype(np.float32)[:, None]
    across = ((ticks - objects.position[:, :1]) / radius).astype(np.float32)[:, None, :]
    down = ((ticks - objects.position[:, 1:]) / radius).astype(np.float32)[:, :, None]
    cos, sin = (f(objects.angle).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    x, y = across * cos + down * sin, down * cos - across * sin
    width = (2 / size / radius)[:, :, None].astype(np.float32)
    distance = DISTANCES[kind](x, y)
    colors = np.broadcast_to(objects.fill.astype(np.float32)[:, None, None], (*x.shape, 3))
    for texture, pattern in ((STRIPED, _stripes), (DOTTED, _dots)):
        rows = np.flatnonzero(objects.texture == texture)
        if len(rows):
            colors = np.array(colors)
            inset = np.maximum(pattern(x[rows], y[rows]), distance[rows] + np.float32(_RIM))
            share = _coverage(inset, width[rows])[..., None]
            ink = objects.ink.astype(np.float32)[rows, None, None]
            colors[rows] += share * (ink - colors[rows])
    share = _coverage(distance, width)[..., None]
    canvas[objects.picture] += share * (colors - canvas[objects.picture])


def _coverage(distance: np.ndarray, width: np.ndarray) -> np.ndarray:
    """The share of a pixel of this width that lies inside, of its centre's distance."""
    return np.clip(0.5 - distance / width, 0, 1).astype(np.float32)


def _stripes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Half of each period, at 45 degrees."""
    along = (x + y) * np.float32(np.sqrt(0.5))
    return np.abs(_folded(along)) - np.float32(_PERIOD / 4)


def _dots(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.hypot(_folded(x), _folded(y)) - np.float32(_PERIOD * 0.3)


def _folded(value: np.ndarray) -> np.ndarray:
    """Distance to the nearest multiple of the period, with its sign."""
    return value - np.float32(_PERIOD) * np.rint(value / np.float32(_PERIOD))

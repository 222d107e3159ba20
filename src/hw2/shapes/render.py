"""Rendering of scenes as images, many at once."""

from dataclasses import dataclass

import numpy as np

from hw2.shapes.outlines import DISTANCES

KINDS = tuple(DISTANCES)
"""Names of the shapes; `Objects.kind` holds indices into this tuple."""
_PERIOD = 0.62  # of stripes and dots, in radii of the object
_RIM = 0.12  # plain edge around them, in the same units; keeps outlines visible at 32 pixels
_CHUNK = 256  # objects at a time, so that intermediate results stay in the processor's cache
PLAIN, STRIPED, DOTTED = range(3)


@dataclass(frozen=True)
class Objects:
    """M colored objects, each in an image.

    Attributes:
        image_index: int (M,), index of the image that holds the object; later objects are in front.
        kind: int (M,), index into KINDS.
        position: float (M, 2), center (x, y) in [-1, 1], y downwards.
        radius: float (M,), in the same units.
        angle: float (M,), radians, clockwise.
        texture: int (M,), PLAIN, STRIPED or DOTTED.
        fill: float (M, 3), RGB in [0, 1].
        ink: float (M, 3), RGB of stripes or dots.
    """

    image_index: np.ndarray
    kind: np.ndarray
    position: np.ndarray
    radius: np.ndarray
    angle: np.ndarray
    texture: np.ndarray
    fill: np.ndarray
    ink: np.ndarray

    def __len__(self) -> int:
        return len(self.image_index)

    def __getitem__(self, rows: np.ndarray | slice) -> "Objects":
        return Objects(**{name: value[rows] for name, value in vars(self).items()})


def render(backgrounds: np.ndarray, objects: Objects, size: int) -> np.ndarray:
    """Render the objects on `backgrounds`, RGB float (N, 3): images uint8 (N, size, size, 3).

    Outlines and textures are antialiased: the coverage of a pixel follows from the distance of its
    center to the edge.
    """
    canvas = np.empty((len(backgrounds), size, size, 3), np.float32)
    canvas[:] = backgrounds[:, None, None]
    # An object is painted after all objects behind it in the same image.
    depth = _depth(objects.image_index)
    for layer in range(int(depth.max(initial=-1)) + 1):
        for kind in range(len(KINDS)):
            rows = np.flatnonzero((depth == layer) & (objects.kind == kind))
            for start in range(0, len(rows), _CHUNK):
                _paint(canvas, objects[rows[start : start + _CHUNK]], KINDS[kind], size)
    return (canvas * 255 + 0.5).clip(0, 255).astype(np.uint8)


def _depth(image_index: np.ndarray) -> np.ndarray:
    """The number of earlier objects in the same image, for each object: int (M,)."""
    order = np.argsort(image_index, kind="stable")
    sorted_index = image_index[order]
    starts = (
        np.flatnonzero(np.r_[True, sorted_index[1:] != sorted_index[:-1]])
        if len(sorted_index)
        else np.array([], int)
    )
    lengths = np.diff(np.r_[starts, len(sorted_index)])
    depth = np.empty(len(sorted_index), int)
    depth[order] = np.arange(len(sorted_index)) - np.repeat(starts, lengths)
    return depth


def _paint(canvas: np.ndarray, objects: Objects, kind: str, size: int) -> None:
    """Paint objects of one kind, each in a different image."""
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
            cover = _coverage(inset, width[rows])[..., None]
            ink = objects.ink.astype(np.float32)[rows, None, None]
            colors[rows] += cover * (ink - colors[rows])
    cover = _coverage(distance, width)[..., None]
    canvas[objects.image_index] += cover * (colors - canvas[objects.image_index])


def _coverage(distance: np.ndarray, width: np.ndarray) -> np.ndarray:
    """The covered share of a pixel of this width, from the signed distance of its center."""
    return np.clip(0.5 - distance / width, 0, 1).astype(np.float32)


def _stripes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Diagonal stripes that cover half of each period."""
    along = (x + y) * np.float32(np.sqrt(0.5))
    return np.abs(_folded(along)) - np.float32(_PERIOD / 4)


def _dots(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.hypot(_folded(x), _folded(y)) - np.float32(_PERIOD * 0.3)


def _folded(value: np.ndarray) -> np.ndarray:
    """Signed distance to the nearest multiple of the period."""
    return value - np.float32(_PERIOD) * np.rint(value / np.float32(_PERIOD))

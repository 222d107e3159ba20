"""Rendering of objects on backgrounds, many images at once."""

from dataclasses import dataclass

import numpy as np

from hw2.shapes.outlines import Outlines, distance

PLAIN, STRIPED, DOTTED, RINGED, HALVED, CHECKED = range(6)
"""Textures."""
_CHUNK = 64  # objects at a time, so that intermediate results stay in the processor's cache
_INSET = 0.08  # plain edge around a texture, in radii of the object; keeps outlines visible


@dataclass(frozen=True)
class Looks:
    """What M objects look like wherever they are, as arrays of length M.

    Colors are RGB in [0, 1], float (M, 3); lengths are in radii of the object.

    Attributes:
        outline: Their outlines.
        fill: Color of the object.
        texture: int, one of PLAIN, STRIPED, DOTTED, RINGED, HALVED and CHECKED.
        texture_color: Second color, of the texture.
        period: Distance between stripes, dots, rings or squares.
        texture_angle: Direction of the texture in radians.
        core: Radius of a disc at the center; 0 is none.
        core_color: Color of that disc.
        rim: Width of a border; 0 is none.
        rim_color: Color of the border.
        shading: Strength of a highlight at the upper left, 0 to 0.6.
    """

    outline: Outlines
    fill: np.ndarray
    texture: np.ndarray
    texture_color: np.ndarray
    period: np.ndarray
    texture_angle: np.ndarray
    core: np.ndarray
    core_color: np.ndarray
    rim: np.ndarray
    rim_color: np.ndarray
    shading: np.ndarray

    def __len__(self) -> int:
        return len(self.texture)

    def __getitem__(self, rows: np.ndarray | slice) -> "Looks":
        return Looks(**{name: value[rows] for name, value in vars(self).items()})


@dataclass(frozen=True)
class Placement:
    """Where M objects are, as arrays of length M.

    Attributes:
        image: int, index of the image; later objects are in front.
        position: float (M, 2), center (x, y) in [-1, 1], y downwards.
        radius: float, in the same units.
        angle: float, radians, clockwise.
    """

    image: np.ndarray
    position: np.ndarray
    radius: np.ndarray
    angle: np.ndarray

    def __getitem__(self, rows: np.ndarray | slice) -> "Placement":
        return Placement(**{name: value[rows] for name, value in vars(self).items()})


def render(
    backgrounds: np.ndarray, looks: Looks, placement: Placement, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the objects on `backgrounds`, RGB float (N, 3) or images float (N, size, size, 3).

    Edges are antialiased: the coverage of a pixel follows from the distance of its center.

    Returns:
        Images float32 (N, size, size, 3) in [0, 1], and the coverage by objects, float32
        (N, size, size) in [0, 1].
    """
    canvas = np.empty((len(backgrounds), size, size, 3), np.float32)
    canvas[:] = backgrounds if backgrounds.ndim == 4 else backgrounds[:, None, None]
    covered = np.zeros(canvas.shape[:3], np.float32)
    # An object is painted after all objects behind it in the same image.
    depth = _depth(placement.image)
    for layer in range(int(depth.max(initial=-1)) + 1):
        rows = np.flatnonzero(depth == layer)
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            _paint(canvas, covered, looks[chunk], placement[chunk], size)
    return canvas.clip(0, 1), covered


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Images in [0, 1] as uint8."""
    return (images * 255 + 0.5).astype(np.uint8)


def _depth(image: np.ndarray) -> np.ndarray:
    """The number of earlier objects in the same image, for each object: int (M,)."""
    order = np.argsort(image, kind="stable")
    ordered = image[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])
    lengths = np.diff(np.r_[starts, len(ordered)])
    depth = np.empty(len(ordered), int)
    depth[order] = np.arange(len(ordered)) - np.repeat(starts, lengths)
    return depth


def _paint(
    canvas: np.ndarray, covered: np.ndarray, looks: Looks, placement: Placement, size: int
) -> None:
    """Paint objects that are in different images."""
    x, y = _object_coordinates(placement, size)
    pixel = _column(2 / size / placement.radius)
    outline = distance(looks.outline, x, y)
    colors = np.broadcast_to(_color(looks.fill), (*x.shape, 3)).copy()
    _paint_texture(colors, looks, x, y, outline, pixel)
    rows = np.flatnonzero(looks.core > 0)
    if len(rows):
        disc = np.hypot(x[rows], y[rows]) - _column(looks.core[rows])
        _mix(colors, rows, _coverage(disc, pixel[rows]), looks.core_color)
    rows = np.flatnonzero(looks.rim > 0)
    if len(rows):
        border = -outline[rows] - _column(looks.rim[rows])
        _mix(colors, rows, _coverage(border, pixel[rows]), looks.rim_color)
    rows = np.flatnonzero(looks.shading > 0)
    if len(rows):
        highlight = np.exp(-((x[rows] + 0.3) ** 2 + (y[rows] + 0.35) ** 2) / 0.35) - 0.35
        colors[rows] += (_column(looks.shading[rows]) * highlight)[..., None]
    coverage = _coverage(outline, pixel)
    canvas[placement.image] += coverage[..., None] * (colors - canvas[placement.image])
    covered[placement.image] = np.maximum(covered[placement.image], coverage)


def _paint_texture(
    colors: np.ndarray,
    looks: Looks,
    x: np.ndarray,
    y: np.ndarray,
    outline: np.ndarray,
    pixel: np.ndarray,
) -> None:
    cos, sin = _column(np.cos(looks.texture_angle)), _column(np.sin(looks.texture_angle))
    u, v = x * cos + y * sin, y * cos - x * sin
    for texture, pattern in _PATTERNS.items():
        rows = np.flatnonzero(looks.texture == texture)
        if len(rows):
            edge = pattern(u[rows], v[rows], _column(looks.period[rows]))
            edge = np.maximum(edge, outline[rows] + np.float32(_INSET))
            _mix(colors, rows, _coverage(edge, pixel[rows]), looks.texture_color)


def _object_coordinates(placement: Placement, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates x and y of all pixels in the units of each object: float32 (M, size, size)."""
    ticks = ((np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1)[None, :]
    radius = placement.radius.astype(np.float32)[:, None]
    across = ((ticks - placement.position[:, :1]) / radius).astype(np.float32)[:, None, :]
    down = ((ticks - placement.position[:, 1:]) / radius).astype(np.float32)[:, :, None]
    cos, sin = _column(np.cos(placement.angle)), _column(np.sin(placement.angle))
    return across * cos + down * sin, down * cos - across * sin


def _mix(colors: np.ndarray, rows: np.ndarray, coverage: np.ndarray, color: np.ndarray) -> None:
    colors[rows] += coverage[..., None] * (_color(color[rows]) - colors[rows])


def _column(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)[:, None, None]


def _color(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)[:, None, None]


def _coverage(edge: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    """The covered fraction of a pixel of this width, from the signed distance of its center."""
    return np.clip(np.float32(0.5) - edge / pixel, 0, 1)


def _stripes(u: np.ndarray, v: np.ndarray, period: np.ndarray) -> np.ndarray:
    return np.abs(_folded(u, period)) - period / 4


def _dots(u: np.ndarray, v: np.ndarray, period: np.ndarray) -> np.ndarray:
    return np.hypot(_folded(u, period), _folded(v, period)) - period * np.float32(0.3)


def _rings(u: np.ndarray, v: np.ndarray, period: np.ndarray) -> np.ndarray:
    return np.abs(_folded(np.hypot(u, v), period)) - period / 4


def _halves(u: np.ndarray, v: np.ndarray, period: np.ndarray) -> np.ndarray:
    return u


def _checks(u: np.ndarray, v: np.ndarray, period: np.ndarray) -> np.ndarray:
    a, b = np.abs(_folded(u, period)) - period / 4, np.abs(_folded(v, period)) - period / 4
    return np.where((a < 0) == (b < 0), -1, 1) * np.minimum(np.abs(a), np.abs(b))


def _folded(value: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Signed distance to the nearest multiple of the period."""
    return value - period * np.rint(value / period)


_PATTERNS = {
    STRIPED: _stripes,
    DOTTED: _dots,
    RINGED: _rings,
    HALVED: _halves,
    CHECKED: _checks,
}
"""Signed distances to the second color, by texture."""

"""Styles: changes of a whole image that do not depend on what it shows."""

from dataclasses import dataclass

import numpy as np

from hw2.io.images import LUMA

NO_PATTERN, HATCHED, SCREENED, GRIDDED = range(4)
"""Patterns that a style lays over an image: lines, dots, or lines in two directions."""
_LUMA = np.array(LUMA, np.float32)
_REFERENCE_SIZE = 64  # lengths of a style are pixels of an image of this size
_PERIODS = (6.5, 9.5)
_TURNS = 4  # directions of lines are multiples of half a turn divided by this number


@dataclass(frozen=True)
class Styles:
    """M styles, as arrays of length M. Colors are RGB in [0, 1], float (M, 3).

    Attributes:
        dark: Color that black becomes.
        light: Color that white becomes.
        tone: float in [0, 1], how far colors go towards those of the gray value.
        pattern: int, NO_PATTERN, HATCHED, SCREENED or GRIDDED.
        angle: float, direction of the pattern in radians.
        period: float, distance of its lines or dots in pixels of an image of 64.
        strength: float in [0, 1], opacity of the pattern.
        pattern_color: Color of the pattern.
        frame: float, width of a frame in pixels of an image of 64; 0 is none.
        frame_color: Color of the frame.
    """

    dark: np.ndarray
    light: np.ndarray
    tone: np.ndarray
    pattern: np.ndarray
    angle: np.ndarray
    period: np.ndarray
    strength: np.ndarray
    pattern_color: np.ndarray
    frame: np.ndarray
    frame_color: np.ndarray

    def __len__(self) -> int:
        return len(self.tone)

    def __getitem__(self, rows: np.ndarray | slice) -> "Styles":
        return Styles(**{name: value[rows] for name, value in vars(self).items()})


def random_styles(stream: np.random.Generator, count: int) -> Styles:
    """Draw styles whose dark and light colors are far apart, so that images stay readable.

    Colors, strengths and frames are continuous; the patterns are a few, each in four directions and
    two periods. A pattern begins at the same place in every image, so with continuous directions
    and periods each would be a picture of its own to learn by heart, and none would lie between
    two of them.
    """
    dark = stream.uniform(0, 0.45, (count, 3))
    light = stream.uniform(0.55, 1, (count, 3))
    pattern = stream.choice(4, size=count, p=(0.3, 0.35, 0.2, 0.15))
    lines = np.where(stream.random((count, 1)) < 0.5, dark, stream.random((count, 3)))
    return Styles(
        dark=dark.astype(np.float32),
        light=light.astype(np.float32),
        tone=stream.uniform(0.5, 0.85, count).astype(np.float32),
        pattern=pattern,
        angle=stream.integers(_TURNS, size=count) * (np.pi / _TURNS),
        period=stream.choice(_PERIODS, size=count),
        strength=stream.uniform(0.35, 0.7, count),
        pattern_color=lines.astype(np.float32),
        frame=np.where(stream.random(count) < 0.4, stream.uniform(2.5, 6, count), 0),
        frame_color=stream.random((count, 3)).astype(np.float32),
    )


def apply(styles: Styles, images: np.ndarray) -> np.ndarray:
    """Images float32 (M, S, S, 3) in [0, 1], each in the style of the same index."""
    size = images.shape[1]
    gray = (images @ _LUMA)[..., None]
    dark, light = styles.dark[:, None, None], styles.light[:, None, None]
    toned = dark + gray * (light - dark)
    result = images + _column(styles.tone)[..., None] * (toned - images)
    rows = np.flatnonzero(styles.pattern != NO_PATTERN)
    if len(rows):
        opacity = _pattern(styles[rows], size) * _column(styles.strength[rows])
        color = styles.pattern_color[rows][:, None, None]
        result[rows] += opacity[..., None] * (color - result[rows])
    rows = np.flatnonzero(styles.frame > 0)
    if len(rows):
        inside = _distance_to_border(size) * (_REFERENCE_SIZE / size)
        opacity = np.clip(_column(styles.frame[rows]) - inside + 0.5, 0, 1)
        color = styles.frame_color[rows][:, None, None]
        result[rows] += opacity[..., None] * (color - result[rows])
    return result.clip(0, 1)


def _pattern(styles: Styles, size: int) -> np.ndarray:
    """Coverage by the pattern: float32 (M, S, S)."""
    ticks = (np.arange(size, dtype=np.float32) + 0.5) * (_REFERENCE_SIZE / size)
    down, across = np.meshgrid(ticks, ticks, indexing="ij")
    cos, sin = _column(np.cos(styles.angle)), _column(np.sin(styles.angle))
    period = _column(styles.period)
    u, v = across * cos + down * sin, down * cos - across * sin
    u, v = (np.abs(w - period * np.rint(w / period)) for w in (u, v))
    line_u, line_v = u - period / 4, v - period * np.float32(0.15)
    grid = np.minimum(u - period * np.float32(0.15), line_v)
    dots = np.hypot(u, v) - period * np.float32(0.33)
    kind = styles.pattern[:, None, None]
    edge = np.where(kind == HATCHED, line_u, np.where(kind == SCREENED, dots, grid))
    return np.clip(np.float32(0.5) - edge, 0, 1)


def _distance_to_border(size: int) -> np.ndarray:
    ticks = np.arange(size, dtype=np.float32) + 0.5
    nearest = np.minimum(ticks, size - ticks)
    return np.minimum(nearest[:, None], nearest[None, :])


def _column(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)[:, None, None]

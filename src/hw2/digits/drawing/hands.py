"""Hands: consistent ways to write the digits, and digits that are written in them.

A hand has a slant, a pen, proportions, one preferred form of each digit and its own deviations from
that form, small in a neat hand and large in a careless one. Every digit it writes deviates a little
more. No two splits and no two domains share a hand, because each of their tables comes from a
random stream of its own.
"""

from dataclasses import dataclass, field

import numpy as np

from hw2 import rng
from hw2.digits.drawing import forms
from hw2.digits.labels import NUM_DIGITS

COUNTS = {"train": 600, "val": 80, "test": 160}
"""Hands of each split, for each domain."""

_PREFERS = 0.85  # share of the digits that a hand writes in its preferred form
_HAND, _DIGIT = 0.034, 0.02  # deviations of control points in units of the height
_MOST_CONTROLS = 24  # of any form, so that one table holds all of them


@dataclass(frozen=True)
class Style:
    """What the hands of a domain have in common: means and standard deviations over hands.

    Attributes:
        slant: Slope to the right.
        pen: Logarithm of the stroke's half width in pixels.
        aspect: Logarithm of the factor of the width.
        carelessness: Logarithm of the factor of all deviations of control points.
    """

    slant: tuple[float, float]
    pen: tuple[float, float]
    aspect: tuple[float, float] = (0.0, 0.14)
    carelessness: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Hands:
    """H hands.

    Attributes:
        slant: Slopes to the right, (H,).
        pen: Half widths of the strokes in pixels, (H,).
        aspect: Factors of the width, (H,).
        form: Preferred form of each digit, int (H, 10).
        bow: Bows of vertical lines and of the base line and shifts of the waist, (H, 10, 3).
        deviation: Shifts of the control points of each digit, (H, 10, 24, 2).
        carelessness: Factors of the shifts of each single digit, (H,).
    """

    slant: np.ndarray
    pen: np.ndarray
    aspect: np.ndarray
    form: np.ndarray
    bow: np.ndarray
    deviation: np.ndarray = field(repr=False)
    carelessness: np.ndarray

    def __len__(self) -> int:
        return len(self.slant)


def table(domain: str, split: str, seed: int, style: Style) -> Hands:
    """The hands of a domain and split."""
    random = rng.numpy_rng(seed, "hands", domain, split)
    count = COUNTS[split]
    chosen = [_choose(digit, count, random) for digit in range(NUM_DIGITS)]
    carelessness = np.exp(
        _spread(style.carelessness, count, rng.numpy_rng(seed, "carelessness", domain, split))
    )
    return Hands(
        slant=_spread(style.slant, count, random),
        pen=np.exp(_spread(style.pen, count, random)),
        aspect=np.exp(_spread(style.aspect, count, random)),
        form=np.stack(chosen, 1),
        bow=random.normal(0, 0.06, (count, NUM_DIGITS, 3)),
        deviation=carelessness[:, None, None, None]
        * random.normal(0, _HAND, (count, NUM_DIGITS, _MOST_CONTROLS, 2)),
        carelessness=carelessness,
    )


def write(
    hands: Hands, digits: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Write each digit in a random hand.

    Returns:
        `(points, radii)`: points on the lines, float (N, P, 2) as (x, y) in units of the digit's
        height, slanted; and the pen's half widths there in pixels, float (N, P).
    """
    count = len(digits)
    who = random.integers(len(hands), size=count)
    any_form = np.stack([_choose(digit, count, random) for digit in range(NUM_DIGITS)], 1)
    form = np.where(
        random.random(count) < _PREFERS,
        hands.form[who, digits],
        np.take_along_axis(any_form, digits[:, None], 1)[:, 0],
    )
    shifts = random.normal(0, _DIGIT, (count, _MOST_CONTROLS, 2))
    shifts = hands.deviation[who, digits] + hands.carelessness[who, None, None] * shifts
    points = _on_the_lines(digits, form, shifts)
    bow = hands.bow[who, digits] + random.normal(0, 0.03, (count, 3))
    points = _bowed(points, bow)
    points[..., 0] *= (hands.aspect[who] * np.exp(random.normal(0, 0.06, count)))[:, None]
    slant = hands.slant[who] + random.normal(0, 0.07, count)
    points[..., 0] += slant[:, None] * (0.5 - points[..., 1])
    points = _turned(points, random.normal(0, 0.06, count))
    return points, _pressed(hands.pen[who], random)


def _spread(moments: tuple[float, float], count: int, random: np.random.Generator) -> np.ndarray:
    """Normal values, of which none is more than two standard deviations from the mean."""
    mean, deviation = moments
    return mean + deviation * random.normal(size=count).clip(-2, 2)


def _choose(digit: int, count: int, random: np.random.Generator) -> np.ndarray:
    """Random forms of a digit, by their shares: int (count,)."""
    shares = [form.share for form in forms.handwritten(digit)]
    return np.searchsorted(np.cumsum(shares)[:-1], random.random(count))


def _on_the_lines(digits: np.ndarray, form: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    points = np.empty((len(digits), forms.POINTS, 2))
    for digit, number in sorted(set(zip(digits.tolist(), form.tolist(), strict=True))):
        rows = np.flatnonzero((digits == digit) & (form == number))
        shape = forms.handwritten(digit)[number]
        controls = shape.controls + shifts[rows, : len(shape.controls)]
        points[rows] = shape.basis @ controls
    return points


def _bowed(points: np.ndarray, bow: np.ndarray) -> np.ndarray:
    """Bend vertical lines and the base line, and move the waist up or down."""
    x, y = points[..., 0] - 0.3, points[..., 1]
    hump = 4 * y * (1 - y)
    vertical, base, waist = (bow[:, None, k] for k in range(3))
    return np.stack([x + vertical * hump, y + base * x + waist * hump], -1)


def _turned(points: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Rotate about the middle of the height; angles (N,) in radians."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y = points[..., 0], points[..., 1] - 0.5
    return np.stack([cos * x - sin * y, sin * x + cos * y + 0.5], -1)


def _pressed(pen: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Half widths along the lines, which vary slowly with the pressure: (N, P)."""
    count = len(pen)
    at = np.linspace(0, 1, forms.POINTS)
    period, phase = random.uniform(1, 4, (count, 1)), random.uniform(0, 2, (count, 1))
    waves = np.sin(np.pi * (period * at + phase))
    swing = np.abs(random.normal(0, 0.1, (count, 1)))
    size = pen * np.exp(random.normal(0, 0.1, count))
    return size[:, None] * (1 + swing * waves)

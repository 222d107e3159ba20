"""The forms in which people write the digits, as control points of splines.

A form is text: points `x,y` in percent of the digit's height, x to the right and y down. A stroke
is a Catmull-Rom spline through its points; `|` marks the preceding point as a corner, and `;` lifts
the pen. A spline is linear in its control points, so that each form has a matrix from control
points to points on the line, and any number of digits of one form is one matrix product.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

POINTS = 72
"""Points on the line of each digit, about 1 pixel apart in the longest digit of 28x28 pixels."""

HANDWRITTEN: tuple[tuple[tuple[float, str], ...], ...] = (
    (
        (0.6, "42,1 16,10 2,48 13,88 36,100 60,86 70,48 58,12 36,2"),
        (0.4, "58,9 32,1 9,20 2,56 18,95 42,99 66,72 67,30 50,5 30,7"),
    ),
    (
        (0.9, "30,0 30,50 30,100"),
        (0.08, "14,22 32,0 | 32,50 32,100"),
        (0.02, "10,22 32,0 | 32,50 32,100 ; 8,100 34,100 58,99"),
    ),
    (
        (0.20, "4,22 16,4 38,0 58,12 58,34 38,60 16,84 0,98 | 32,95 74,96"),
        (0.18, "4,20 20,3 42,2 56,18 50,42 30,68 8,93 -4,91 1,78 18,79 44,94 76,93"),
        (0.10, "6,14 30,2 56,8 52,32 26,68 2,94 | 24,88 48,97 74,90"),
        (0.10, "8,8 32,0 58,14 46,44 22,74 0,98 | 36,94 70,98"),
        (0.16, "18,14 36,0 58,8 62,32 48,60 26,84 4,94 -4,80 12,66 38,74 66,90 100,88"),
        (0.14, "14,20 26,3 46,2 56,18 48,46 30,72 4,96 | 40,93 98,95"),
        (0.12, "10,26 22,6 46,0 60,16 54,44 36,70 14,90 -4,88 4,72 28,76 54,96 88,100"),
    ),
    (
        (0.55, "4,14 22,1 46,6 50,26 36,42 20,46 | 42,48 60,64 54,88 28,100 2,88"),
        (0.37, "6,10 30,0 54,14 46,36 26,46 22,49 32,48 56,58 58,82 34,99 4,92"),
        (0.08, "4,2 30,3 58,2 | 42,22 26,40 | 50,46 62,68 46,94 20,100 0,90"),
    ),
    (
        (0.40, "14,4 8,28 2,54 | 30,54 68,50 ; 56,4 53,50 48,100"),
        (0.15, "46,0 24,30 0,62 | 34,64 70,62 ; 48,2 46,50 44,100"),
        (0.25, "8,6 4,34 12,52 32,52 52,36 60,4 | 56,50 48,100"),
        (0.20, "18,0 10,28 0,58 | 36,58 76,55 ; 54,20 52,60 48,100"),
    ),
    (
        (0.26, "16,4 10,24 8,42 | 30,36 54,46 60,68 48,92 22,100 0,90 ; 16,4 40,4 68,0"),
        (0.24, "66,2 40,3 18,6 | 12,24 8,42 | 28,38 52,44 60,66 46,92 20,100 0,90"),
        (0.14, "62,4 34,2 14,14 20,36 44,50 58,70 46,94 20,100 0,88"),
        (0.14, "88,0 62,5 36,8 | 26,24 24,38 | 42,44 54,58 50,78 32,94 8,100 -10,90"),
        (0.12, "84,4 56,2 32,10 26,28 42,44 52,60 46,80 26,96 2,98 -12,86"),
        (0.10, "78,0 46,12 24,30 | 40,42 52,56 50,78 30,94 4,100 -16,96"),
    ),
    (
        (0.4, "46,0 26,18 8,46 2,74 14,96 34,100 54,88 53,70 36,60 17,70 7,84"),
        (0.3, "30,0 14,32 2,68 10,94 32,100 52,86 48,68 29,62 9,76 4,84"),
        (0.3, "52,4 28,14 8,44 2,76 20,100 46,97 55,79 42,63 21,66 7,81"),
    ),
    (
        (0.35, "2,6 34,5 66,2 | 52,38 41,68 34,100"),
        (0.20, "4,20 8,4 | 36,6 66,2 | 49,46 37,100"),
        (0.22, "0,12 22,2 50,4 62,8 57,28 43,62 35,100"),
        (0.15, "2,24 6,8 30,6 62,4 | 55,30 44,66 39,100"),
        (0.08, "2,6 34,5 66,2 | 52,38 41,68 34,100 ; 24,52 42,50 62,48"),
    ),
    (
        (0.4, "54,14 34,0 14,10 15,30 33,46 51,66 47,92 28,100 11,88 14,66 32,46 51,28 55,12"),
        (0.25, "44,4 20,3 11,22 28,42 47,60 50,84 32,100 13,87 17,64 38,42 53,22 42,4"),
        (0.25, "58,8 40,2 18,8 13,26 30,44 46,64 43,90 27,100 12,90 15,66 36,44 60,12"),
        (
            0.1,
            "32,46 14,34 14,12 32,0 50,12 50,34 32,46 ; 32,46 11,62 11,88 32,100 53,88 53,62 32,46",
        ),
    ),
    (
        (0.35, "53,14 36,2 14,9 6,28 18,46 38,40 53,16 | 55,54 52,100"),
        (0.20, "56,14 34,0 10,10 4,34 22,50 44,40 56,16 56,50 42,84 12,100"),
        (0.25, "50,8 28,2 6,18 6,40 26,48 46,32 55,6 | 47,50 35,100"),
        (0.20, "58,10 36,0 8,12 4,36 24,48 48,34 58,8 54,50 48,80 44,100"),
    ),
)
"""For each digit its forms with their shares, which add up to 1."""


@dataclass(frozen=True)
class Form:
    """A form of a digit.

    Attributes:
        share: Share of the writers who use it.
        controls: Control points, float32 (K, 2) as (x, y) in units of the digit's height.
        basis: float32 (POINTS, K); `basis @ controls` are points on the line, about equally spaced.
    """

    share: float
    controls: np.ndarray
    basis: np.ndarray


@cache
def handwritten(digit: int) -> tuple[Form, ...]:
    """The forms of a handwritten digit."""
    return tuple(parse(text, share) for share, text in HANDWRITTEN[digit])


def parse(text: str, share: float = 1.0) -> Form:
    """The form that a text describes."""
    controls: list[tuple[float, float]] = []
    arcs: list[list[int]] = [[]]
    for word in text.split():
        if word == "|":
            arcs.append([arcs[-1][-1]])
        elif word == ";":
            arcs.append([])
        else:
            x, y = word.split(",")
            arcs[-1].append(len(controls))
            controls.append((float(x) / 100, float(y) / 100))
    points = np.array(controls, np.float32)
    return Form(share, points, _basis(points, arcs))


def _basis(controls: np.ndarray, arcs: list[list[int]]) -> np.ndarray:
    """The matrix (POINTS, K), with as many points on each arc as its length deserves."""
    segments = [segment for arc in arcs for segment in _segments(arc)]
    lengths = np.array([np.linalg.norm(controls[s[2]] - controls[s[1]]) for s in segments])
    ends = np.cumsum(lengths)
    # The middle of equal pieces of the whole path; a piece never spans a lift of the pen.
    at = (np.arange(POINTS) + 0.5) / POINTS * ends[-1]
    number = np.searchsorted(ends, at).clip(max=len(segments) - 1)
    t = 1 - (ends[number] - at) / lengths[number]
    matrix = np.zeros((POINTS, len(controls)), np.float32)
    for row, (segment, u) in enumerate(zip(number, t, strict=True)):
        for column, weight in zip(segments[segment], _catmull_rom(u), strict=True):
            matrix[row, column] += weight
    return matrix


def _segments(arc: list[int]) -> list[tuple[int, int, int, int]]:
    """The four control points of each segment; the ends of an arc are repeated."""
    padded = [arc[0], *arc, arc[-1]]
    return [(a, b, c, d) for a, b, c, d in zip(*(padded[k:] for k in range(4)), strict=False)]


def _catmull_rom(t: float) -> tuple[float, float, float, float]:
    """Weights of four control points at `t` in [0, 1] between the middle two."""
    return (
        0.5 * (-t + 2 * t**2 - t**3),
        0.5 * (2 - 5 * t**2 + 3 * t**3),
        0.5 * (t + 4 * t**2 - 3 * t**3),
        0.5 * (-(t**2) + t**3),
    )

"""Sample quality of generated images: each measure, and the value that real images reach."""

from pathlib import Path

import numpy as np

from hw2.digits import arrays
from hw2.digits.arrays import Digits
from hw2.digits.labels import NUM_DIGITS
from hw2.evaluation.frechet import frechet_distance
from hw2.evaluation.judge import Judge
from hw2.evaluation.kernel_distance import kernel_distance
from hw2.evaluation.precision_recall import recall


def measure(
    judge: Judge, generated: Digits, domain: str, packed: Path, *, split: str, other: str
) -> dict[str, float]:
    """Quality of the generated images of a domain, and of real ones in their place (`_real`).

    Real images are those of `split`, and those of `other` stand in for generated ones. All
    measures are in the judge's features, of equally many images of each digit on either side.
    """
    real, stand_in = (arrays.load(packed, domain, name) for name in (split, other))
    count = min(int(np.bincount(digits.digits).min()) for digits in (real, stand_in, generated))
    a, b, g = (judge.embed(first(digits, count), domain) for digits in (real, stand_in, generated))
    return {
        "recall": recall(a, g).value,
        "recall_real": recall(a, b).value,
        "precision": recall(g, a).value,
        "precision_real": recall(b, a).value,
        "frechet": frechet_distance(a, g),
        "frechet_real": frechet_distance(a, b),
        "kernel_distance": kernel_distance(g, a).value,
        "kernel_distance_real": kernel_distance(b, a).value,
    }


def share(measured: dict[str, float], name: str) -> float:
    """A measure of the generated images divided by that of the real images; 0 if that is 0."""
    real = measured[f"{name}_real"]
    return measured[name] / real if real else 0.0


def first(real: Digits, count: int) -> np.ndarray:
    """The first `count` images of each digit: uint8 (10 * count, 28, 28, 3)."""
    rows = [np.flatnonzero(real.digits == digit)[:count] for digit in range(NUM_DIGITS)]
    return real.rgb[np.concatenate(rows)]

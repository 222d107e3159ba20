"""The gain of one method over another, measured on the same images with the same seeds."""

import math

import numpy as np

from hw2.evaluation import several_trainings
from hw2.evaluation.intervals import Estimate, Z


def paired_gain(right: np.ndarray, base: np.ndarray) -> Estimate:
    """Mean difference of two accuracies with a 95 % interval.

    Both have two sources of chance, images and trainings. The interval combines the normal one of
    the mean over images (of each image's difference, averaged over the seeds) and, where there are
    two seeds or more, Student's of the mean over seeds. The variance that images and seeds share
    counts twice, so the interval is too wide rather than too narrow.

    Args:
        right, base: bool (seeds, N), N >= 2: whether each training reads each image correctly;
            row k of both is of the same seed.
    """
    if right.shape != base.shape or right.shape[1] < 2:
        raise ValueError(f"not paired shapes (seeds, N >= 2): {right.shape} and {base.shape}")
    difference = right.astype(np.float64) - base
    n = difference.shape[1]
    images = Z * math.sqrt(float(difference.mean(0).var(ddof=1)) / n)
    half = math.hypot(images, several_trainings.half_width(difference.mean(1)))
    value = float(difference.mean())
    return Estimate(value, value - half, value + half, n)

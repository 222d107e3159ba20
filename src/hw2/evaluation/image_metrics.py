"""Distances between images, and their contrast and colorfulness."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from hw2.evaluation.intervals import Estimate

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.float64]
CONFIDENCE = 0.975  # of either end of an interval of 95 %


def mse(first: Pixels, second: Pixels) -> float:
    """Mean square difference of two images on the scale of 0 to 255, as the course grades.

    In float64: a difference of uint8 would wrap around.
    """
    return float(((first.astype(np.float64) - second.astype(np.float64)) ** 2).mean())


def distance(first: Pixels, second: Pixels) -> Numbers:
    """Root mean square difference of pixels in [0, 1]: images (..., H, W, C) give (...)."""
    gap = first.astype(np.float64) - second.astype(np.float64)
    return np.sqrt((gap**2).mean((-3, -2, -1))) / 255


def contrast(images: Pixels) -> Numbers:
    """Standard deviation of the pixels in [0, 1] of each channel, averaged over the channels.

    Images (..., H, W, C) give (...).
    """
    return images.std((-3, -2), dtype=np.float64).mean(-1) / 255


def colorfulness(images: Pixels) -> Numbers:
    """How far an image is from gray: the standard deviation over the channels of each pixel.

    Pixels are in [0, 1] and the mean is over the pixels; images (..., H, W, C) give (...).
    """
    return images.std(-1, dtype=np.float64).mean((-2, -1)) / 255


def unevenness(rows: Pixels) -> Numbers:
    """The largest step between neighboring images over the mean step: (..., A, H, W, C) give (...).

    1 means equal steps; A - 1 means that all change is in a single step. A row without any change
    counts as 1.
    """
    steps = distance(rows[..., 1:, :, :, :], rows[..., :-1, :, :, :])
    mean = steps.mean(-1)
    return np.where(mean > 0, steps.max(-1) / np.where(mean > 0, mean, 1), 1.0)


def mean(values: Numbers) -> Estimate:
    """The mean of independent values (N,), N >= 2, with its interval by Student's t.

    The values are few, such as those of four noises: the normal interval would be too narrow.
    """
    n, value = len(values), float(values.mean())
    half = float(t.ppf(CONFIDENCE, n - 1)) * float(values.std(ddof=1)) / math.sqrt(n)
    return Estimate(value, value - half, value + half, n)

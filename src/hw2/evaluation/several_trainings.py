"""Accuracies of several trainings of one method, which differ in their seeds only."""

import math

import numpy as np
from scipy.stats import t

from hw2.evaluation.intervals import Estimate, proportion

CONFIDENCE = 0.975  # of either end of an interval of 95 %


def half_width(values: np.ndarray) -> float:
    """Half the 95 % interval of the mean of float (K,) over trainings: Student's; 0 for K = 1."""
    count = len(values)
    if count < 2:
        return 0.0
    return float(t.ppf(CONFIDENCE, count - 1)) * float(values.std(ddof=1)) / math.sqrt(count)


def accuracy(right: np.ndarray) -> Estimate:
    """The mean accuracy of bool (K, N) with a 95 % interval over images and trainings.

    The interval over images is Wilson's for N images, because all trainings classify the same ones.
    That over trainings is Student's, and with two or three of them wide. Both are added as
    independent errors. A single training tells nothing of others, so its interval is of its images.
    """
    shares = right.mean(1)
    images = over_images(float(shares.mean()), right.shape[1])
    trainings = half_width(shares)
    low = images.value - math.hypot(images.value - images.low, trainings)
    high = images.value + math.hypot(images.high - images.value, trainings)
    return Estimate(images.value, max(0.0, low), min(1.0, high), images.n)


def over_images(share: float, n: int) -> Estimate:
    """Wilson's interval of a share of n images; a mean over trainings need not be k of n."""
    return proportion(np.full(n, share))

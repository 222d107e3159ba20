"""The exact test of whether one of two classifiers is better on the same images."""

import numpy as np
from scipy.stats import binomtest


def mcnemar(right: np.ndarray, base: np.ndarray) -> float:
    """McNemar's exact two-sided p-value (McNemar, 1947; exact form by the binomial distribution).

    Only the images that exactly one of the two classifies correctly count: if neither is better,
    each of these is as likely on either side.

    Args:
        right, base: bool (N,), whether each image is classified correctly.
    """
    if right.shape != base.shape:
        raise ValueError(f"not paired shapes: {right.shape} and {base.shape}")
    right, base = right.astype(bool), base.astype(bool)
    gained, lost = int((right & ~base).sum()), int((base & ~right).sum())
    if gained + lost == 0:
        return 1.0
    return float(binomtest(gained, gained + lost, 0.5).pvalue)

"""Drawing from groups of different size equally often."""

from collections.abc import Sequence

import numpy as np


def equal_shares(counts: Sequence[int]) -> np.ndarray:
    """The images of an epoch in which every group has as many as the largest.

    Drawn as they are, 7,000 images of one domain beside 47,000 of another are an eighth of each
    batch, and a model that serves both learns the smaller domain last.

    Args:
        counts: Number of images of each group. All images are in one array, group after group.

    Returns:
        Indices int64 (groups * largest,) into that array. Those of a smaller group are repeated in
        their order; equal groups give each index once.
    """
    starts = np.cumsum([0, *counts[:-1]])
    indices = [start + np.arange(n) for start, n in zip(starts, counts, strict=True)]
    return np.concatenate([np.resize(group, max(counts)) for group in indices])

"""Diversity of images that share a label: the mean distance between two of them."""

import numpy as np

from hw2.evaluation.intervals import Estimate, jackknife


def within_label_distance(images: np.ndarray, labels: np.ndarray) -> Estimate:
    """Mean distance of two images of the same label, averaged over the labels.

    The distance is the root mean square difference of pixels in [0, 1]: 0 for identical images.

    Args:
        images: uint8 (N, H, W, C), at least three of each label present.
        labels: int (N,).

    Raises:
        ValueError: if a label has fewer than three images.
    """
    flat = images.reshape(len(images), -1)
    groups = [_distances(flat[labels == label]) for label in np.unique(labels)]
    means = np.array([d.sum() / (len(d) * (len(d) - 1)) for d in groups])
    left_out = [
        means.mean()
        + ((d.sum() - 2 * d.sum(1)) / ((len(d) - 1) * (len(d) - 2)) - mean) / len(groups)
        for d, mean in zip(groups, means, strict=True)
    ]
    return jackknife(float(means.mean()), np.concatenate(left_out))


def _distances(flat: np.ndarray) -> np.ndarray:
    """Root mean square distances (n, n) of the rows of uint8 (n, pixels), zero on the diagonal."""
    if len(flat) < 3:
        raise ValueError("diversity needs at least three images of each label")
    pixels = flat.astype(np.float64)  # whole numbers, so that the sums below are exact
    square = (pixels**2).sum(1)
    gap = square[:, None] + square - 2 * pixels @ pixels.T
    return np.sqrt(gap / flat.shape[1]) / 255

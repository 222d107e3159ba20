"""The kernel distance of two sets of features (Bińkowski et al., 2018, "Demystifying MMD GANs").

Unlike the Fréchet distance it has no bias, so sets of different size can be compared, and its
jackknife gives an interval.
"""

import numpy as np

from hw2.evaluation.intervals import Estimate, jackknife


def kernel_distance(first: np.ndarray, second: np.ndarray) -> Estimate:
    """The squared maximum mean discrepancy under the kernel (x . y / F + 1)^3, without bias.

    Around 0 for two sets from one distribution, and then negative as often as not.

    Args:
        first: features float (N, F), N >= 3.
        second: features float (M, F), M >= 3.

    Raises:
        ValueError: if a set has fewer than three features.
    """
    x, y = (np.asarray(features, np.float64) for features in (first, second))
    n, m = len(x), len(y)
    if min(n, m) < 3:
        raise ValueError("a kernel distance needs at least three features on either side")
    within_x, within_y, between = _without_diagonal(x), _without_diagonal(y), _kernel(x, y)
    xx, yy, xy = within_x.sum(), within_y.sum(), between.sum()
    mean_xx, mean_yy = xx / (n * (n - 1)), yy / (m * (m - 1))
    without_x = (
        (xx - 2 * within_x.sum(1)) / ((n - 1) * (n - 2))
        + mean_yy
        - 2 * (xy - between.sum(1)) / ((n - 1) * m)
    )
    without_y = (
        mean_xx
        + (yy - 2 * within_y.sum(1)) / ((m - 1) * (m - 2))
        - 2 * (xy - between.sum(0)) / (n * (m - 1))
    )
    return jackknife(float(mean_xx + mean_yy - 2 * xy / (n * m)), without_x, without_y)


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    kernel: np.ndarray = (x @ y.T / x.shape[1] + 1) ** 3
    return kernel


def _without_diagonal(x: np.ndarray) -> np.ndarray:
    kernel = _kernel(x, x)
    np.fill_diagonal(kernel, 0)
    return kernel

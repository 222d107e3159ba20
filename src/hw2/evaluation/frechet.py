"""The Fréchet distance of two sets of features (Heusel et al., 2017, "GANs trained by a TTUR")."""

import numpy as np


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Squared Fréchet distance of the normal distributions with the moments of two sets.

    It is |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). Estimates from few features are too large,
    so compare values of equal numbers of features only.

    Args:
        first: features float (N, F), N >= 2.
        second: features float (M, F), M >= 2.
    """
    one, two = (np.asarray(features, np.float64) for features in (first, second))
    gap = one.mean(0) - two.mean(0)
    cov_one, cov_two = (np.atleast_2d(np.cov(features, rowvar=False)) for features in (one, two))
    # (C1 C2)^(1/2) has the trace of (C1^(1/2) C2 C1^(1/2))^(1/2), which is symmetric.
    values, vectors = np.linalg.eigh(cov_one)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ cov_two @ root)
    return float(
        gap @ gap + np.trace(cov_one) + np.trace(cov_two) - 2 * np.sqrt(cross.clip(min=0)).sum()
    )

"""How much of the real images a generator covers: improved precision and recall.

Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models" (2019).
A set of feature vectors stands for the union of balls around them, each as wide as the distance to
its k-th neighbour in the set.
"""

import numpy as np
import torch

from hw2.evaluation.intervals import Estimate, proportion

NEIGHBOURS = 3
"""The k of the paper."""


def recall(real: np.ndarray, generated: np.ndarray) -> Estimate:
    """Share of real images that lie among the generated ones; precision is the reverse.

    It grows with the number of images, so compare values of equal numbers only.

    Args:
        real: features float (N, F).
        generated: features float (M, F), more than `NEIGHBOURS` of them.
    """
    if len(generated) <= NEIGHBOURS:
        raise ValueError(f"recall needs more than {NEIGHBOURS} generated images")
    balls, points = torch.from_numpy(generated).double(), torch.from_numpy(real).double()
    # Position 0 of the ascending distances is the point itself.
    radii = torch.cdist(balls, balls).kthvalue(NEIGHBOURS + 1, dim=1).values
    return proportion((torch.cdist(points, balls) <= radii).any(1).numpy())

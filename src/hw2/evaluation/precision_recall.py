"""How much of the real images a generator covers: improved precision and recall.

Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models" (2019).
The support of a set of feature vectors is the union of balls around them, the radius of each being
the distance to its k-th neighbor in the set.
"""

import numpy as np
import torch

from hw2.evaluation.intervals import Estimate, proportion

NEIGHBORS = 3
"""The k of the paper."""


def recall(real: np.ndarray, generated: np.ndarray) -> Estimate:
    """Share of real images that lie among the generated ones; precision is the reverse.

    It grows with the number of images, so compare values of equal numbers only.

    Args:
        real: features float (N, F).
        generated: features float (M, F), more than `NEIGHBORS` of them.
    """
    if len(generated) <= NEIGHBORS:
        raise ValueError(f"recall needs more than {NEIGHBORS} generated images")
    balls, points = torch.from_numpy(generated).double(), torch.from_numpy(real).double()
    # Position 0 of the ascending distances is the point itself.
    radii = torch.cdist(balls, balls).kthvalue(NEIGHBORS + 1, dim=1).values
    return proportion((torch.cdist(points, balls) <= radii).any(1).numpy())

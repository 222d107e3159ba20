"""Running mean predictions of both domains, by which pseudo-labels are aligned."""

import torch
from torch import Tensor, nn

from hw2.dann.method import SOURCE, TARGET
from hw2.digits.labels import NUM_DIGITS


class PredictionMeans(nn.Module):
    """Running means of both domains' predictions.

    Args:
        averaging: The fraction of the means that an update keeps; the first updates keep less.
    """

    means: Tensor

    def __init__(self, averaging: float) -> None:
        super().__init__()
        self.averaging = averaging
        self.register_buffer("means", torch.full((2, NUM_DIGITS), 1 / NUM_DIGITS))
        self.steps = 0  # a tensor would have to be read from a GPU in each step

    def update(self, source: Tensor, target: Tensor) -> float:
        """Include the predictions (N, 10) of both domains; returns the fraction that was kept."""
        keep = min(self.averaging, self.steps / (1 + self.steps))
        self.means[SOURCE].lerp_(source.mean(0), 1 - keep)
        self.means[TARGET].lerp_(target.mean(0), 1 - keep)
        self.steps += 1
        return keep

    def get_extra_state(self) -> int:
        """The number of updates, for a resume file."""
        return self.steps

    def set_extra_state(self, state: int) -> None:
        self.steps = state

    def aligned(self, predictions: Tensor) -> Tensor:
        """Predictions (N, 10) of target images, with the source's mean prediction: (N, 10).

        They are multiplied by the ratio of both means and normalized (Berthelot et al., 2020).
        """
        scaled = predictions * self.means[SOURCE] / self.means[TARGET].clamp(min=1e-6)
        return scaled / scaled.sum(1, keepdim=True)

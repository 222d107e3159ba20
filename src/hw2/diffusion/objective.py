"""The training objective of a denoising network: a squared error, weighted by noise level.

A network that predicts x0 is trained on the error of v that its output implies. An error of x0
itself would count noisy images, where x0 cannot be known, as much as those where it can.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from hw2.diffusion.schedule import Prediction, Schedule

MAX_SNR = 5.0  # gamma of min-SNR weighting


@dataclass(frozen=True)
class Objective:
    """The loss of one denoising model.

    Attributes:
        schedule: the noise schedule.
        prediction: what the network predicts.
        weights: float (T,), of the squared error at each time; None for equal weights.
    """

    schedule: Schedule
    prediction: Prediction
    weights: Tensor | None = None

    def target(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """The target of the error: v for x0 networks, otherwise what the network predicts."""
        measured: Prediction = "v" if self.prediction == "x0" else self.prediction
        return self.schedule.target(x0, eps, t, measured)

    def loss(self, output: Tensor, target: Tensor, xt: Tensor, t: Tensor) -> Tensor:
        """The mean error of a batch, a scalar.

        Args:
            output: the output of the network, float32 (N, C, H, W).
            target: from `target`, shaped like the output.
            xt: the noisy images, shaped like the output.
            t: int64 (N,), on the device of the schedule.
        """
        if self.prediction == "x0":
            output = self.schedule.v_from_x0(output, xt, t)
        if self.weights is None:
            return F.mse_loss(output, target)
        by_image = (output - target).square().flatten(1).mean(1)
        return (by_image * self.weights[t].to(by_image)).mean()


def min_snr_v_weights(schedule: Schedule) -> Tensor:
    """Weights of the error of v, float32 (T,): (min(SNR, 5) + 1) / (SNR + 1).

    SNR = abar / (1 - abar). The weights follow min-SNR weighting (Hang et al., 2023), with 1 added
    so that none is 0. For a network that predicts the clean image, an error of v at low noise is a
    tiny error of the image and would dominate the gradient.
    """
    snr = schedule.abar / (1 - schedule.abar)
    return ((snr.clamp(max=MAX_SNR) + 1) / (snr + 1)).float()

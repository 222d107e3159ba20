"""Weights of the squared error by noise level."""

from torch import Tensor

from hw2.diffusion.schedule import Schedule

MOST_SNR = 5.0


def of_v(levels: Schedule) -> Tensor:
    """For errors of v, float32 (T,): (min(SNR, 5) + 1) / (SNR + 1), SNR = abar / (1 - abar).

    After min-SNR weighting (Hang et al., 2023), and never 0. For a network that says the clean
    image an error of v at low noise is a tiny one of the image, and would take the whole gradient.
    """
    snr = levels.abar / (1 - levels.abar)
    return ((snr.clamp(max=MOST_SNR) + 1) / (snr + 1)).float()

"""A U-Net that says the clean image, made a predictor of eps or v by arithmetic alone.

The noise of a patch has as many dimensions as the patch has values, and a narrow network cannot
carry it from its input to its output; the image it can, since images have far fewer (Li & He, 2025,
"Back to basics: let denoising generative models denoise").
"""

import torch
from torch import Tensor, nn

from hw2.diffusion.schedule import Prediction, Schedule
from hw2.models.unet import UNet

LEAST_NOISE = 0.05  # divisions go no lower: there, noisy images are nearly clean


class ImagePredictor(nn.Module):
    """Predicts eps or v for images (N, 3, S, S) at times t, int64 (N,), without labels.

    With the clean image x0 of the inner network: eps = (xt - sqrt(abar) x0) / sqrt(1 - abar), and
    v = (sqrt(abar) xt - x0) / sqrt(1 - abar). Labels that are given are not looked at.

    Args:
        inner: a U-Net with the null label alone.
    """

    signal: Tensor
    noise: Tensor

    def __init__(self, inner: UNet, schedule: Schedule, prediction: Prediction) -> None:
        super().__init__()
        self.inner, self.prediction = inner, prediction
        self.register_buffer("signal", schedule.abar.sqrt().float())
        self.register_buffer("noise", (1 - schedule.abar).sqrt().float().clamp(min=LEAST_NOISE))

    def inner_weights(self) -> list[Tensor]:
        """Those of the U-Net that an orthogonalising optimizer may take."""
        return self.inner.inner_weights()

    def forward(self, xt: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        x0 = self.inner(xt, t, torch.full_like(t, self.inner.null_label))
        signal, noise = (table[t][:, None, None, None] for table in (self.signal, self.noise))
        if self.prediction == "eps":
            return (xt - signal * x0) / noise
        return (signal * xt - x0) / noise

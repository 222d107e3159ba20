"""ContextUnet, the small conditional U-Net that most reports of this homework start from.

Architecture after T. Pearce's "Conditional Diffusion MNIST": BatchNorm, two levels, and a context
that multiplies the features of the upward path, to which the time is added.
"""

import torch
from torch import Tensor, nn


class ContextUnet(nn.Module):
    """Predicts eps or v for images (N, 3, 28, 28) at times t, int64 (N,), under labels, int64 (N,).

    The label `num_labels` is the null condition: its one-hot code is all zero.

    Args:
        n_feat: channels of the first level; 128 and 256 are the usual ones.
        timesteps: T of the schedule; the network sees t / T.
    """

    def __init__(self, *, num_labels: int, n_feat: int = 128, timesteps: int = 1000) -> None:
        super().__init__()
        self.num_labels, self.timesteps = num_labels, timesteps
        n, m = n_feat, 2 * n_feat
        self.enter = ConvPair(3, n, residual=True)
        self.down1 = nn.Sequential(ConvPair(n, n), nn.MaxPool2d(2))
        self.down2 = nn.Sequential(ConvPair(n, m), nn.MaxPool2d(2))
        self.to_vector = nn.Sequential(nn.AvgPool2d(7), nn.GELU())
        self.time1, self.time2 = _embedding(1, m), _embedding(1, n)
        self.context1, self.context2 = _embedding(num_labels, m), _embedding(num_labels, n)
        self.up0 = nn.Sequential(nn.ConvTranspose2d(m, m, 7, 7), nn.GroupNorm(8, m), nn.ReLU())
        self.up1 = nn.Sequential(nn.ConvTranspose2d(2 * m, n, 2, 2), ConvPair(n, n), ConvPair(n, n))
        self.up2 = nn.Sequential(nn.ConvTranspose2d(m, n, 2, 2), ConvPair(n, n), ConvPair(n, n))
        self.leave = nn.Sequential(
            nn.Conv2d(m, n, 3, padding=1),
            nn.GroupNorm(8, n),
            nn.ReLU(),
            nn.Conv2d(n, 3, 3, padding=1),
        )

    def inner_weights(self) -> list[Tensor]:
        """Empty: the baseline is trained with AdamW alone."""
        return []

    def forward(self, xt: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        code = nn.functional.one_hot(labels, self.num_labels + 1)[:, :-1].to(xt.dtype)
        time = (t[:, None] / self.timesteps).to(xt.dtype)
        x = self.enter(xt)
        down1 = self.down1(x)
        down2 = self.down2(down1)
        up = self.up0(self.to_vector(down2))
        up = self.context1(code) * up + self.time1(time)
        up = self.up1(torch.cat([up, down2], 1))
        up = self.context2(code) * up + self.time2(time)
        up = self.up2(torch.cat([up, down1], 1))
        return self.leave(torch.cat([up, x], 1))


class ConvPair(nn.Module):
    """Two convolutions with BatchNorm and GELU; `residual` adds the first output to the second."""

    def __init__(self, in_channels: int, out_channels: int, *, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.first, self.second = (
            nn.Sequential(
                nn.Conv2d(channels, out_channels, 3, padding=1),
                nn.BatchNorm2d(out_channels),
                nn.GELU(),
            )
            for channels in (in_channels, out_channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        first = self.first(x)
        second = self.second(first)
        return (first + second) / 2**0.5 if self.residual else second  # keeps the variance


def _embedding(inputs: int, outputs: int) -> nn.Sequential:
    """A two-layer embedding (N, inputs) to (N, outputs, 1, 1)."""
    layers = nn.Linear(inputs, outputs), nn.GELU(), nn.Linear(outputs, outputs)
    return nn.Sequential(*layers, nn.Unflatten(1, (outputs, 1, 1)))

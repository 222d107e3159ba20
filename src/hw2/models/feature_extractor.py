"""Networks of domain adaptation: a feature extractor that keeps two domains' statistics apart, a
label head and a domain head.

Everywhere `slot` is 0 for the source and 1 for the target. A slot has running statistics of its
own, and a batch is of one slot, so the statistics of two domains are never mixed.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOTS = 2
MOMENTUM = 0.1  # of the running statistics; PyTorch's default


class SlotNorm(nn.Module):
    """BatchNorm with shared weights and statistics by slot (Chang et al., 2019, share neither)."""

    mean: Tensor
    var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(SLOTS, channels))
        self.register_buffer("var", torch.ones(SLOTS, channels))

    def forward(self, x: Tensor, slot: int) -> Tensor:
        mean, var = self.mean[slot], self.var[slot]
        return F.batch_norm(x, mean, var, self.weight, self.bias, self.training, MOMENTUM)


class Block(nn.Module):
    """Convolution, SlotNorm, ReLU."""

    def __init__(self, inner: int, outer: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inner, outer, kernel, stride, padding=kernel // 2, bias=False)
        self.norm = SlotNorm(outer)

    def forward(self, x: Tensor, slot: int) -> Tensor:
        return F.relu(self.norm(self.conv(x), slot), inplace=True)


class Extractor(nn.Module):
    """Images (N, 3, 28, 28) to features (N, 4 * width) >= 0.

    Six convolutions. The first has stride 2: at 28x28 a layer costs four times as much as at
    14x14, in sums and even more in memory traffic. The mean over 7x7 forgives a shifted digit.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.features = 4 * width
        self.first = Block(3, width, kernel=5, stride=2)
        self.blocks = nn.ModuleList(
            [
                Block(width, width),
                Block(width, 2 * width),
                Block(2 * width, 2 * width),
                Block(2 * width, 4 * width),
                Block(4 * width, 4 * width),
            ]
        )

    def inner_weights(self) -> list[nn.Parameter]:
        """Convolutions from features to features, which Muon may train."""
        return [weight for weight in self.blocks.parameters() if weight.ndim == 4]

    def forward(self, images: Tensor, slot: int) -> Tensor:
        x = self.first(images, slot)
        for place, block in enumerate(self.blocks):
            x = block(F.max_pool2d(x, 2) if place == 2 else x, slot)
        return x.mean((2, 3))


class GaninExtractor(nn.Module):
    """The extractor of Ganin et al. (2016) for MNIST to MNIST-M: two 5x5 convolutions with pools
    (figure 4 a), images (N, 3, 28, 28) to features (N, 768); it has no normalisation."""

    features = 48 * 4 * 4

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 5)
        self.conv2 = nn.Conv2d(32, 48, 5)

    def inner_weights(self) -> list[nn.Parameter]:
        """None: the paper has SGD for all."""
        return []

    def forward(self, images: Tensor, slot: int) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        return F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)


def label_head(features: int, classes: int) -> nn.Linear:
    """Features (N, F) to logits (N, classes)."""
    return nn.Linear(features, classes)


def domain_head(features: int, hidden: int) -> nn.Sequential:
    """Features (N, F) to one logit (N, 1), positive for the target; one hidden layer."""
    return nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1))

"""Networks of domain adaptation: feature extractors, a label head and a domain head.

Everywhere `domain` is 0 for the source and 1 for the target. Each domain has its own running
statistics, and a batch holds images of one domain, so that statistics are never mixed.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NUM_DOMAINS = 2
MOMENTUM = 0.1  # of the running statistics; PyTorch's default


class DomainBatchNorm(nn.Module):
    """Batch normalization with shared weights and separate statistics for each domain.

    Chang et al. (2019) separate the weights as well.
    """

    mean: Tensor
    var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(NUM_DOMAINS, channels))
        self.register_buffer("var", torch.ones(NUM_DOMAINS, channels))

    def forward(self, x: Tensor, domain: int) -> Tensor:
        mean, var = self.mean[domain], self.var[domain]
        return F.batch_norm(x, mean, var, self.weight, self.bias, self.training, MOMENTUM)


class Block(nn.Module):
    """Convolution, DomainBatchNorm, ReLU."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False
        )
        self.norm = DomainBatchNorm(out_channels)

    def forward(self, x: Tensor, domain: int) -> Tensor:
        return F.relu(self.norm(self.conv(x), domain), inplace=True)


class Extractor(nn.Module):
    """Images (N, 3, 28, 28) to features (N, 4 * base_channels) >= 0.

    Six convolutions. The first has stride 2: at 28x28 a layer costs four times as much as at
    14x14, and even more in memory traffic. The mean over 7x7 tolerates shifted digits.
    """

    def __init__(self, base_channels: int) -> None:
        super().__init__()
        self.features = 4 * base_channels
        self.first = Block(3, base_channels, kernel=5, stride=2)
        self.blocks = nn.ModuleList(
            [
                Block(base_channels, base_channels),
                Block(base_channels, 2 * base_channels),
                Block(2 * base_channels, 2 * base_channels),
                Block(2 * base_channels, 4 * base_channels),
                Block(4 * base_channels, 4 * base_channels),
            ]
        )

    def inner_weights(self) -> list[nn.Parameter]:
        """Convolutions from features to features, which Muon may train."""
        return [weight for weight in self.blocks.parameters() if weight.ndim == 4]

    def statistics(self, domain: int) -> list[Tensor]:
        """Views of the running statistics that a pass in training mode changes."""
        norms = [module for module in self.modules() if isinstance(module, DomainBatchNorm)]
        return [values[domain] for norm in norms for values in (norm.mean, norm.var)]

    def forward(self, images: Tensor, domain: int) -> Tensor:
        x = self.first(images, domain)
        for index, block in enumerate(self.blocks):
            x = block(F.max_pool2d(x, 2) if index == 2 else x, domain)
        return x.mean((2, 3))


class GaninExtractor(nn.Module):
    """The extractor of Ganin et al. (2016, figure 4a) for MNIST to MNIST-M.

    Images (N, 3, 28, 28) to features (N, 768) by two 5x5 convolutions with max pooling, without
    normalization.
    """

    features = 48 * 4 * 4

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 5)
        self.conv2 = nn.Conv2d(32, 48, 5)

    def inner_weights(self) -> list[nn.Parameter]:
        """Empty: the paper trains all weights with SGD."""
        return []

    def statistics(self, domain: int) -> list[Tensor]:
        """Empty: nothing is normalized."""
        return []

    def forward(self, images: Tensor, domain: int) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        return F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)


def label_head(features: int, classes: int) -> nn.Linear:
    """Features (N, F) to logits (N, classes)."""
    return nn.Linear(features, classes)


def domain_head(features: int, hidden: int) -> nn.Sequential:
    """Features (N, F) to a logit (N, 1), positive for the target, with one hidden layer."""
    return nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1))

"""A conditional U-Net that is fast on a CPU and a GPU.

Two choices make it cheap. The image is folded into `patch` x `patch` cells first
(pixel-unshuffle), so that full resolution, where most of a U-Net's time goes, is never convolved.
Every norm is over one group: the kernels for small groups in channels-last layout are slower than
the convolutions they follow.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class UNet(nn.Module):
    """Predicts x0, eps or v, as trained, for images (N, 3, size, size) at times t, int64 (N,).

    Labels are int64 (N,); without labels, all of them are the null label.

    Args:
        num_labels: conditions; the label `num_labels` is the null condition of classifier-free
            guidance.
        base: channels at the first level.
        mult: channels of each level as multiples of `base`; each level halves the resolution.
        blocks: residual blocks a level.
        patch: side of the cells that the image is folded into.
        timesteps: T of the schedule, to scale the time embedding.
        size: image height and width; `size / patch / 2 ** (levels - 1)` must be whole.
        map_channels: learned maps per label, concatenated to the folded image: where a label's
            strokes are is then known before the first convolution.
    """

    def __init__(
        self,
        *,
        num_labels: int,
        base: int = 48,
        mult: tuple[int, ...] = (1, 2),
        blocks: int = 1,
        patch: int = 2,
        timesteps: int = 1000,
        size: int = 28,
        map_channels: int = 16,
    ) -> None:
        super().__init__()
        self.patch, self.timesteps, self.null_label = patch, timesteps, num_labels
        cells = size // patch
        if cells * patch != size or cells % 2 ** (len(mult) - 1):
            raise ValueError(
                f"{size} pixels do not divide into patches of {patch} and {len(mult)} levels"
            )
        channels = [base * m for m in mult]
        cond = 4 * base
        self.time = nn.Sequential(nn.Linear(64, cond), nn.SiLU(), nn.Linear(cond, cond))
        self.label = nn.Embedding(num_labels + 1, cond)
        self.maps = nn.Parameter(torch.zeros(num_labels + 1, map_channels, cells, cells))
        self.enter = nn.Conv2d(3 * patch**2 + map_channels, base, 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        width = base
        for level, wide in enumerate(channels):
            if level:
                self.down.append(nn.Conv2d(width, wide, 3, stride=2, padding=1))
                width = wide
            for _ in range(blocks):
                self.down.append(Block(width, wide, cond))
                width = wide
        self.middle = Block(width, width, cond)
        for level, wide in reversed(list(enumerate(channels))):
            for _ in range(blocks):
                self.up.append(Block(width + wide, wide, cond))
                width = wide
            if level:
                self.up.append(Up(width, channels[level - 1]))
                width = channels[level - 1]
        self.norm = nn.GroupNorm(1, width)
        self.leave = nn.Conv2d(width, 3 * patch**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def inner_weights(self) -> list[Tensor]:
        """Convolution weights inside the blocks, which an orthogonalising optimizer may take."""
        blocks = [module for module in self.modules() if isinstance(module, Block)]
        return [conv.weight for block in blocks for conv in (block.conv1, block.conv2)]

    def forward(self, xt: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        if labels is None:
            labels = torch.full_like(t, self.null_label)
        cond = F.silu(self.time(time_features(t, self.timesteps)) + self.label(labels))
        x = F.pixel_unshuffle(xt, self.patch)
        x = torch.cat([x, self.maps[labels].to(x.dtype)], 1).contiguous(
            memory_format=torch.channels_last
        )
        x = self.enter(x)
        skips: list[Tensor] = []
        for layer in self.down:
            if isinstance(layer, Block):
                x = layer(x, cond)
                skips.append(x)
            else:
                x = layer(x)
        x = self.middle(x, cond)
        for layer in self.up:
            x = (
                layer(torch.cat([x, skips.pop()], 1), cond)
                if isinstance(layer, Block)
                else layer(x)
            )
        return F.pixel_shuffle(self.leave(F.silu(self.norm(x))), self.patch)


class Block(nn.Module):
    """Residual block: norm, scale and shift from the condition (FiLM), convolution, twice."""

    def __init__(self, width: int, wide: int, cond: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(1, width), nn.GroupNorm(1, wide)
        self.conv1, self.conv2 = (
            nn.Conv2d(width, wide, 3, padding=1),
            nn.Conv2d(wide, wide, 3, padding=1),
        )
        self.film = nn.Linear(cond, 2 * wide)
        self.skip = nn.Identity() if width == wide else nn.Conv2d(width, wide, 1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, cond: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.film(cond)[..., None, None].chunk(2, 1)
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return self.skip(x) + h


class Up(nn.Module):
    """Doubles the resolution by a 1x1 convolution and pixel-shuffle."""

    def __init__(self, width: int, wide: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, 4 * wide, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(x), 2)


def time_features(t: Tensor, timesteps: int, count: int = 64) -> Tensor:
    """Sines and cosines of t / T at `count` / 2 frequencies from 1 to 1000: float32 (N, count)."""
    frequencies = torch.exp(torch.linspace(0, math.log(1000), count // 2, device=t.device))
    angles = t[:, None].float() / timesteps * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)

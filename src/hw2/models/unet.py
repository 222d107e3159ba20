"""A conditional U-Net that is fast on a CPU and a GPU.

Two choices make it cheap. The image is folded into `patch_size` x `patch_size` patches first
(pixel-unshuffle), so that no convolution runs at full resolution, where a U-Net spends most time.
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
        base_channels: channels at the first level.
        channel_mult: channels of each level as multiples of `base_channels`; each level halves the
            resolution of the one before.
        num_res_blocks: residual blocks of each level.
        patch_size: side of the patches that the image is folded into.
        timesteps: T of the schedule, to scale the time embedding.
        size: image height and width; `size / patch_size / 2 ** (levels - 1)` must be whole.
        map_channels: learned maps of each label, concatenated to the folded image, so that the
            position of the label's strokes is known before the first convolution.
    """

    def __init__(
        self,
        *,
        num_labels: int,
        base_channels: int = 48,
        channel_mult: tuple[int, ...] = (1, 2),
        num_res_blocks: int = 1,
        patch_size: int = 2,
        timesteps: int = 1000,
        size: int = 28,
        map_channels: int = 16,
    ) -> None:
        super().__init__()
        self.patch_size, self.timesteps, self.null_label = patch_size, timesteps, num_labels
        cells = size // patch_size
        if cells * patch_size != size or cells % 2 ** (len(channel_mult) - 1):
            raise ValueError(
                f"{size} pixels do not divide into patches of {patch_size}"
                f" and {len(channel_mult)} levels"
            )
        channels = [base_channels * m for m in channel_mult]
        cond = 4 * base_channels
        self.time = nn.Sequential(nn.Linear(64, cond), nn.SiLU(), nn.Linear(cond, cond))
        self.label = nn.Embedding(num_labels + 1, cond)
        self.maps = nn.Parameter(torch.zeros(num_labels + 1, map_channels, cells, cells))
        self.enter = nn.Conv2d(3 * patch_size**2 + map_channels, base_channels, 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        in_channels = base_channels
        for level, out_channels in enumerate(channels):
            if level:
                self.down.append(nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1))
                in_channels = out_channels
            for _ in range(num_res_blocks):
                self.down.append(Block(in_channels, out_channels, cond))
                in_channels = out_channels
        self.middle = Block(in_channels, in_channels, cond)
        for level, out_channels in reversed(list(enumerate(channels))):
            for _ in range(num_res_blocks):
                self.up.append(Block(in_channels + out_channels, out_channels, cond))
                in_channels = out_channels
            if level:
                self.up.append(Up(in_channels, channels[level - 1]))
                in_channels = channels[level - 1]
        self.norm = nn.GroupNorm(1, in_channels)
        self.leave = nn.Conv2d(in_channels, 3 * patch_size**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def inner_weights(self) -> list[Tensor]:
        """Convolution weights inside the blocks, which Muon may train."""
        blocks = [module for module in self.modules() if isinstance(module, Block)]
        return [conv.weight for block in blocks for conv in (block.conv1, block.conv2)]

    def forward(self, xt: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        if labels is None:
            labels = torch.full_like(t, self.null_label)
        cond = F.silu(self.time(time_features(t, self.timesteps)) + self.label(labels))
        x = F.pixel_unshuffle(xt, self.patch_size)
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
        with torch.autocast("cuda" if x.is_cuda else "cpu", enabled=False):
            # Half precision would round the pixels, and guidance multiplies differences of outputs.
            patches = self.leave(F.silu(self.norm(x.float())))
        return F.pixel_shuffle(patches, self.patch_size)


class Block(nn.Module):
    """Residual block: norm, scale and shift from the condition (FiLM), convolution, twice."""

    def __init__(self, in_channels: int, out_channels: int, cond: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(1, in_channels), nn.GroupNorm(1, out_channels)
        self.conv1, self.conv2 = (
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
        )
        self.film = nn.Linear(cond, 2 * out_channels)
        self.skip = (
            nn.Identity()
            if in_channels == out_channels
            else nn.Conv2d(in_channels, out_channels, 1)
        )
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, cond: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.film(cond)[..., None, None].chunk(2, 1)
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return self.skip(x) + h


class Up(nn.Module):
    """Doubles the resolution by a 1x1 convolution and pixel-shuffle."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 4 * out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(x), 2)


def time_features(t: Tensor, timesteps: int, count: int = 64) -> Tensor:
    """Sines and cosines of t / T at `count` / 2 frequencies from 1 to 1000: float32 (N, count)."""
    frequencies = torch.exp(torch.linspace(0, math.log(1000), count // 2, device=t.device))
    angles = t[:, None].float() / timesteps * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)

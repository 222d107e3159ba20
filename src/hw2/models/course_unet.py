"""The face model of the course (2023 to 2025), with the parameter names of its `UNet.pt`.

Architecture of DDPM (Ho et al., 2020, appendix B) for 256x256 images: six levels with two residual
blocks each, attention at 16x16. Layers are numbered in order, as in the course's file.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = 128
TIME = 4 * CHANNELS
CHANNEL_MULT = (1, 1, 2, 2, 4, 4)
NUM_RES_BLOCKS = 2
ATTENTION_LEVEL = 4
SIDE = 256


class CourseUNet(nn.Module):
    """Predicts eps for images (N, 3, 256, 256) in [-1, 1] at times t, int64 (N,) from 0 to 999.

    113,673,219 parameters in 427 entries of its state dict.
    """

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(
            Sinusoids(CHANNELS), nn.Linear(CHANNELS, TIME), nn.SiLU(), nn.Linear(TIME, TIME)
        )
        self._down: list[str] = []
        self._up: list[str] = []
        skip_channels = [CHANNELS]  # of the features that the upward path concatenates
        self._append(self._down, "down", nn.Conv2d(3, CHANNELS, 3, padding=1))
        in_channels = CHANNELS
        for level, mult in enumerate(CHANNEL_MULT):
            for _ in range(NUM_RES_BLOCKS):
                block = Stage(in_channels, CHANNELS * mult, attention=level == ATTENTION_LEVEL)
                in_channels = CHANNELS * mult
                self._append(self._down, "down", block)
                skip_channels.append(in_channels)
            if level < len(CHANNEL_MULT) - 1:
                halve = nn.Sequential(nn.Conv2d(in_channels, in_channels, 3, stride=2, padding=1))
                self._append(self._down, "down", halve)
                skip_channels.append(in_channels)
        self.mid1 = Stage(in_channels, in_channels, attention=True)
        self.mid2 = Stage(in_channels, in_channels, attention=False)
        for level, mult in reversed(list(enumerate(CHANNEL_MULT))):
            for _ in range(NUM_RES_BLOCKS + 1):
                out_channels = CHANNELS * mult
                block = Stage(
                    in_channels + skip_channels.pop(),
                    out_channels,
                    attention=level == ATTENTION_LEVEL,
                )
                in_channels = out_channels
                self._append(self._up, "up", block)
            if level:
                double = nn.Sequential(
                    nn.Upsample(scale_factor=2, mode="nearest"),
                    nn.Conv2d(in_channels, in_channels, 3, padding=1),
                )
                self._append(self._up, "up", double)
        self.out = nn.Sequential(
            nn.GroupNorm(32, in_channels), nn.SiLU(), nn.Conv2d(in_channels, 3, 3, padding=1)
        )

    def _append(self, names: list[str], prefix: str, layer: nn.Module) -> None:
        names.append(f"{prefix}{len(names) + 1}")
        self.add_module(names[-1], layer)

    def forward(self, xt: Tensor, t: Tensor) -> Tensor:
        time = self.time(t)
        x = xt
        features: list[Tensor] = []
        for layer in map(self.get_submodule, self._down):
            x = layer(x, time) if isinstance(layer, Stage) else layer(x)
            features.append(x)
        x = self.mid2(self.mid1(x, time), time)
        for layer in map(self.get_submodule, self._up):
            if isinstance(layer, Stage):
                x = layer(torch.cat([x, features.pop()], 1), time)
            else:
                x = layer(x)
        return self.out(x)


class Sinusoids(nn.Module):
    """Times (N,) as sines and cosines (N, `count`); the frequencies are stored in the file."""

    inv_freq: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        powers = torch.arange(0, count, 2) / count
        self.register_buffer("inv_freq", torch.exp(-math.log(10_000) * powers))

    def forward(self, t: Tensor) -> Tensor:
        angles = t[:, None].to(self.inv_freq) * self.inv_freq
        return torch.cat([angles.sin(), angles.cos()], 1)


class Stage(nn.Module):
    """A residual block, followed by self-attention if `attention` is true."""

    def __init__(self, in_channels: int, out_channels: int, *, attention: bool) -> None:
        super().__init__()
        self.resblocks = Residual(in_channels, out_channels)
        self.attention = Attention(out_channels) if attention else None

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        x = self.resblocks(x, time)
        return x if self.attention is None else self.attention(x)


class Residual(nn.Module):
    """Norm, swish, convolution, twice; the time is added in between."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(32, in_channels), nn.GroupNorm(32, out_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.time = nn.Sequential(nn.SiLU(), nn.Linear(TIME, out_channels))
        self.skip = None if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x))) + self.time(time)[..., None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (x if self.skip is None else self.skip(x))


class Attention(nn.Module):
    """Self-attention over all positions of a feature map, with a single head."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        positions = self.qkv(self.norm(x)).flatten(2).transpose(1, 2)  # (N, H W, 3 C)
        query, key, value = positions.chunk(3, dim=2)
        attended = F.scaled_dot_product_attention(query, key, value)  # scaled by 1 / sqrt(C)
        return x + self.out(attended.transpose(1, 2).reshape(x.shape))

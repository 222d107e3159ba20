"""The face model of the course (2023 to 2025), so that its `UNet.pt` loads: names and shapes.

Architecture of DDPM (Ho et al., 2020, appendix B) for 256x256 images: six levels with two residual
blocks each, attention at 16x16. Layers are numbered along the way as in the course's file.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = 128
TIME = 4 * CHANNELS
MULT = (1, 1, 2, 2, 4, 4)
BLOCKS = 2
ATTENTION = 4  # the level with attention
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
        widths = [CHANNELS]  # of the features that the way up takes over
        self._append(self._down, "down", nn.Conv2d(3, CHANNELS, 3, padding=1))
        width = CHANNELS
        for level, mult in enumerate(MULT):
            for _ in range(BLOCKS):
                block = Stage(width, CHANNELS * mult, attention=level == ATTENTION)
                width = CHANNELS * mult
                self._append(self._down, "down", block)
                widths.append(width)
            if level < len(MULT) - 1:
                halve = nn.Sequential(nn.Conv2d(width, width, 3, stride=2, padding=1))
                self._append(self._down, "down", halve)
                widths.append(width)
        self.mid1 = Stage(width, width, attention=True)
        self.mid2 = Stage(width, width, attention=False)
        for level, mult in reversed(list(enumerate(MULT))):
            for _ in range(BLOCKS + 1):
                wide = CHANNELS * mult
                block = Stage(width + widths.pop(), wide, attention=level == ATTENTION)
                width = wide
                self._append(self._up, "up", block)
            if level:
                double = nn.Sequential(
                    nn.Upsample(scale_factor=2, mode="nearest"),
                    nn.Conv2d(width, width, 3, padding=1),
                )
                self._append(self._up, "up", double)
        self.out = nn.Sequential(
            nn.GroupNorm(32, width), nn.SiLU(), nn.Conv2d(width, 3, 3, padding=1)
        )

    def _append(self, names: list[str], way: str, layer: nn.Module) -> None:
        names.append(f"{way}{len(names) + 1}")
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
    """A residual block, and attention after it where asked for."""

    def __init__(self, width: int, wide: int, *, attention: bool) -> None:
        super().__init__()
        self.resblocks = Residual(width, wide)
        self.attention = Attention(wide) if attention else None

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        x = self.resblocks(x, time)
        return x if self.attention is None else self.attention(x)


class Residual(nn.Module):
    """Norm, swish, convolution, twice; the time is added in between."""

    def __init__(self, width: int, wide: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(32, width), nn.GroupNorm(32, wide)
        self.conv1 = nn.Conv2d(width, wide, 3, padding=1)
        self.conv2 = nn.Conv2d(wide, wide, 3, padding=1)
        self.time = nn.Sequential(nn.SiLU(), nn.Linear(TIME, wide))
        self.skip = None if width == wide else nn.Conv2d(width, wide, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x))) + self.time(time)[..., None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (x if self.skip is None else self.skip(x))


class Attention(nn.Module):
    """Every place looks at every other one, with a single head."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, width)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        places = self.qkv(self.norm(x)).flatten(2).transpose(1, 2)  # (N, H W, 3 C)
        query, key, value = places.chunk(3, dim=2)
        seen = F.scaled_dot_product_attention(query, key, value)  # scaled by 1 / sqrt(C)
        return x + self.out(seen.transpose(1, 2).reshape(x.shape))

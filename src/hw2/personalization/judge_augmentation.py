"""Random changes of a rendering that leave the concepts in it recognizable.

Renderings are exact: the hatching of a style has one phase, one period and one contrast in all of
them, and outlines are crisp. A classifier that learns from them alone reads these amounts instead
of the concept. Images are therefore moved, turned, scaled and bent a little, blurred, and changed
in contrast, brightness and tint.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_SHIFT, _TURN, _SCALE = 0.12, 0.12, 0.12  # of half the side, in radians, and relative
_BEND, _BEND_CELLS = 0.015, 6  # displacement in half sides, of the points of a coarse grid
_BLUR = 0.025  # largest standard deviation in sides: 1.6 pixels of an image of 64
_CONTRAST = (0.6, 1.25)
_BRIGHTNESS, _TINT = 0.1, 0.06  # in units of [-1, 1]
_NOISE = 0.06


def augmented(images: Tensor, stream: torch.Generator) -> Tensor:
    """Change each image float32 (N, 3, S, S) in [-1, 1] at random; returns the same shape."""
    moved = F.grid_sample(
        images, _grid(images, stream), padding_mode="reflection", align_corners=False
    )
    blurred = moved + _uniform(stream, len(images), 0, 1) * (_blurred(moved) - moved)
    mean = blurred.mean((2, 3), keepdim=True)
    contrasted = mean + _uniform(stream, len(images), *_CONTRAST) * (blurred - mean)
    brighter = contrasted + _uniform(stream, len(images), -_BRIGHTNESS, _BRIGHTNESS)
    tint = _TINT * torch.randn(len(images), 3, 1, 1, generator=stream)
    noise = torch.randn(images.shape, generator=stream)
    strength = _uniform(stream, len(images), 0, _NOISE)
    return (brighter + tint + strength * noise).clamp(-1, 1)


def _grid(images: Tensor, stream: torch.Generator) -> Tensor:
    """Where each pixel is taken from: float32 (N, S, S, 2), in [-1, 1]."""
    count, _, height, width = images.shape
    angle = _uniform(stream, count, -_TURN, _TURN).flatten()
    scale = 1 + _uniform(stream, count, -_SCALE, _SCALE).flatten()
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    shift = _SHIFT * (2 * torch.rand(2, count, generator=stream) - 1)
    matrix = torch.stack(
        [torch.stack([cos, -sin, shift[0]], 1), torch.stack([sin, cos, shift[1]], 1)], 1
    )
    coarse = _BEND * torch.randn(count, 2, _BEND_CELLS, _BEND_CELLS, generator=stream)
    bend = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return grid + bend.permute(0, 2, 3, 1)


def _blurred(images: Tensor) -> Tensor:
    """The images after a Gaussian filter of the largest width."""
    sigma = _BLUR * images.shape[-1]
    radius = math.ceil(2 * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=images.dtype)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    weights = (weights / weights.sum()).repeat(images.shape[1], 1, 1)
    padded = F.pad(images, (radius, radius, radius, radius), mode="replicate")
    across = F.conv2d(padded, weights[:, :, None, :], groups=images.shape[1])
    return F.conv2d(across, weights[:, :, :, None], groups=images.shape[1])


def _uniform(stream: torch.Generator, count: int, low: float, high: float) -> Tensor:
    """Random amounts float32 (N, 1, 1, 1), one for each image."""
    return low + (high - low) * torch.rand(count, 1, 1, 1, generator=stream)

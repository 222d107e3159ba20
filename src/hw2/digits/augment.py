"""Random affine augmentations of batches of images, on the device of the images."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def affine(
    images: Tensor,
    generator: torch.Generator,
    *,
    degrees: float = 12.0,
    scale: float = 0.12,
    shear: float = 0.2,
    translate: float = 2.0,
) -> Tensor:
    """Rotate, scale, shear and translate each image by its own amounts; the border is reflected.

    Args:
        images: Float (N, C, H, W).
        generator: Generator on the CPU, so that the amounts do not depend on the device.
        degrees: Largest rotation in degrees.
        scale: Largest relative change of size.
        shear: Largest shear, as a slope.
        translate: Largest translation in pixels.
    """
    count, _, height, width = images.shape
    u = 2 * torch.rand(count, 5, generator=generator) - 1
    angle, size = math.radians(degrees) * u[:, 0], 1 + scale * u[:, 1]
    across, down = 2 * translate / width * u[:, 3], 2 * translate / height * u[:, 4]
    rows = [
        torch.stack([angle.cos() * size, shear * u[:, 2] - angle.sin() * size, across], 1),
        torch.stack([angle.sin() * size, angle.cos() * size, down], 1),
    ]
    maps = torch.stack(rows, 1).to(images, non_blocking=True)
    grid = F.affine_grid(maps, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)

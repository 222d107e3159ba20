"""Random augmentations of whole batches: strong ones for training, weak ones for a teacher.

Amounts are drawn for each image on the CPU, so that they do not depend on the device;
images stay on their device, and nothing waits for it.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from hw2.config import params
from hw2.digits.augment import affine
from hw2.io.images import LUMA


def strong(images: Tensor, augmentations: params.Augmentations, stream: torch.Generator) -> Tensor:
    """Affine map, blur, color changes and cutout of float (N, 3, H, W) in [-1, 1].

    Colors may leave [-1, 1]: clipping them would flatten strokes.
    """
    augmented = _affine(images, augmentations, 1.0, stream)
    augmented = _color(_blur(augmented, augmentations, stream), augmentations, stream)
    return _cutout(augmented, augmentations, stream)


def weak(images: Tensor, augmentations: params.Augmentations, stream: torch.Generator) -> Tensor:
    """The affine map alone, by the fraction `augmentations.weak` of its amounts."""
    return _affine(images, augmentations, augmentations.weak, stream)


def _affine(
    images: Tensor, augmentations: params.Augmentations, fraction: float, stream: torch.Generator
) -> Tensor:
    if fraction == 0:
        return images
    return affine(
        images,
        stream,
        degrees=fraction * augmentations.degrees,
        scale=fraction * augmentations.scale,
        shear=fraction * augmentations.shear,
        translate=fraction * augmentations.translate,
    )


def _color(images: Tensor, augmentations: params.Augmentations, stream: torch.Generator) -> Tensor:
    """Change contrast, brightness and each channel; invert some images and gray some."""
    count = len(images)
    u = 2 * torch.rand(count, 8, 1, 1, generator=stream) - 1
    chance = torch.rand(count, 2, 1, 1, generator=stream)
    sign = torch.where(chance[:, :1] < augmentations.invert, -1.0, 1.0)
    gain = (
        sign
        * (1 + augmentations.contrast * u[:, :1])
        * (1 + augmentations.color_jitter * u[:, 1:4])
    )
    offset = augmentations.brightness * u[:, 4:5] + augmentations.color_jitter * u[:, 5:8]
    gray = (chance[:, 1:] < augmentations.grayscale).float().to(images, non_blocking=True)
    luma = torch.tensor(LUMA).view(1, 3, 1, 1).to(images, non_blocking=True)
    mixed = torch.lerp(images, (images * luma).sum(1, keepdim=True).expand_as(images), gray)
    return torch.addcmul(
        offset.to(images, non_blocking=True), mixed, gain.to(images, non_blocking=True)
    )


def _blur(images: Tensor, augmentations: params.Augmentations, stream: torch.Generator) -> Tensor:
    """Mix some images with their 3x3 mean, by a random fraction."""
    chosen = torch.rand(len(images), generator=stream) < augmentations.blur
    fraction = torch.rand(len(images), 1, 1, 1, generator=stream)
    rows = chosen.nonzero()[:, 0]
    if not len(rows):
        return images
    places = rows.to(images.device, non_blocking=True)
    sharp = images[places]
    soft = F.avg_pool2d(F.pad(sharp, (1, 1, 1, 1), mode="replicate"), 3, 1)
    mixed = torch.lerp(sharp, soft, fraction[rows].to(images, non_blocking=True))
    return images.index_copy(0, places, mixed)


def _cutout(images: Tensor, augmentations: params.Augmentations, stream: torch.Generator) -> Tensor:
    """Set a square at a random position to 0 (DeVries & Taylor, 2017)."""
    if augmentations.cutout == 0:
        return images
    count, _, height, width = images.shape
    inside = [
        (torch.arange(size) - corner).abs() < augmentations.cutout / 2
        for size in (height, width)
        for corner in (torch.rand(count, 1, generator=stream) * size,)
    ]
    hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return images.masked_fill(hole.to(images.device, non_blocking=True), 0.0)

"""Random views of whole batches, on the device: strong ones to learn from, weak ones to be sure.

Amounts are drawn on the CPU, so that they do not depend on the device; images are worked on where
they are. Every image gets amounts of its own.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from hw2.config import params
from hw2.digits.augment import affine
from hw2.io.images import LUMA


def strong(images: Tensor, views: params.Views, stream: torch.Generator) -> Tensor:
    """Affine, colour, invert, grey, blur and cutout of float (N, 3, H, W), 0 in the middle.

    Colours may leave [-1, 1]: clipping them would flatten strokes.
    """
    seen = _affine(images, views, 1.0, stream)
    seen = _colour(_blur(seen, views, stream), views, stream)
    return _cutout(seen, views, stream)


def weak(images: Tensor, views: params.Views, stream: torch.Generator) -> Tensor:
    """The affine view alone, by `views.weak` of its amounts."""
    return _affine(images, views, views.weak, stream)


def _affine(images: Tensor, views: params.Views, share: float, stream: torch.Generator) -> Tensor:
    if share == 0:
        return images
    return affine(
        images,
        stream,
        turn=share * views.turn,
        scale=share * views.scale,
        shear=share * views.shear,
        shift=share * views.shift,
    )


def _colour(images: Tensor, views: params.Views, stream: torch.Generator) -> Tensor:
    """Contrast and brightness of the image, a tint of each channel, inverted, or made grey."""
    count = len(images)
    u = 2 * torch.rand(count, 8, 1, 1, generator=stream) - 1
    chance = torch.rand(count, 2, 1, 1, generator=stream)
    sign = torch.where(chance[:, :1] < views.invert, -1.0, 1.0)
    gain = sign * (1 + views.contrast * u[:, :1]) * (1 + views.tint * u[:, 1:4])
    offset = views.brightness * u[:, 4:5] + views.tint * u[:, 5:8]
    grey = (chance[:, 1:] < views.grey).float().to(images)
    luma = images.new_tensor(LUMA).view(1, 3, 1, 1)
    mixed = torch.lerp(images, (images * luma).sum(1, keepdim=True).expand_as(images), grey)
    return torch.addcmul(offset.to(images), mixed, gain.to(images))


def _blur(images: Tensor, views: params.Views, stream: torch.Generator) -> Tensor:
    """Some images through a 3x3 mean, mixed with themselves by a random share."""
    chosen = torch.rand(len(images), generator=stream) < views.blur
    share = torch.rand(len(images), 1, 1, 1, generator=stream)
    rows = chosen.nonzero()[:, 0]
    if not len(rows):
        return images
    sharp = images[rows.to(images.device)]
    soft = F.avg_pool2d(F.pad(sharp, (1, 1, 1, 1), mode="replicate"), 3, 1)
    mixed = torch.lerp(sharp, soft, share[rows].to(images))
    return images.index_copy(0, rows.to(images.device), mixed)


def _cutout(images: Tensor, views: params.Views, stream: torch.Generator) -> Tensor:
    """A square of `views.cutout` pixels at a random place becomes 0 (DeVries & Taylor, 2017)."""
    if views.cutout == 0:
        return images
    count, _, height, width = images.shape
    inside = [
        (torch.arange(size) - corner).abs() < views.cutout / 2
        for size in (height, width)
        for corner in (torch.rand(count, 1, generator=stream) * size,)
    ]
    hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return images.masked_fill(hole.to(images.device), 0.0)

"""The two forms of an image: uint8 arrays in files, floats in [-1, 1] in networks."""

import numpy as np
import torch
from torch import Tensor


def from_uint8(images: np.ndarray | Tensor) -> Tensor:
    """Images uint8 (N, H, W, C) as float32 (N, C, H, W) in [-1, 1], channels last in memory.

    Those of a tensor stay on its device.
    """
    return as_tensor(images).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def as_tensor(images: np.ndarray | Tensor) -> Tensor:
    """The same images as a tensor that shares their memory where it can be written."""
    if isinstance(images, Tensor):
        return images
    # Memory-mapped files are read-only, and torch wants to be able to write.
    return torch.from_numpy(images if images.flags.writeable else np.array(images))


def to_uint8(images: Tensor) -> np.ndarray:
    """Images float (N, C, H, W) in [-1, 1] as uint8 (N, H, W, C)."""
    scaled = ((images.float() + 1) * 127.5).round().clamp(0, 255)
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()

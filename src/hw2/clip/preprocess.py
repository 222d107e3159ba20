"""open_clip's preprocessing for many images at once: resize, crop, normalize.

open_clip preprocesses image by image with Pillow. Here images of the same size are resized together
as bytes, by torchvision's kernel, which rounds at the same points as Pillow's: few values differ,
by one or two levels of 255. Modes without such a batched form use open_clip's own transform.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as tv


class Preprocess:
    """Images uint8 (H, W, 3) of any size to the tensor that a model takes.

    Args:
        config: open_clip's `preprocess_cfg` of the model: size, mean, std, interpolation,
            resize_mode and fill_color.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = dict(config)
        size = config["size"]
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self._mean = torch.tensor(config["mean"]).view(3, 1, 1) * 255
        self._std = torch.tensor(config["std"]).view(3, 1, 1) * 255
        self._single_transform = image_transform_v2(PreprocessCfg(**config), is_train=False)

    def __call__(self, images: Sequence[np.ndarray]) -> Tensor:
        """Preprocess images to float32 (N, 3, height, width), normalized, in the given order."""
        if not self._batched:
            return torch.stack([self._single_transform(Image.fromarray(image)) for image in images])
        by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, image in enumerate(images):
            by_shape[image.shape].append(index)
        result = torch.empty(len(images), 3, *self.size)
        for indices in by_shape.values():
            stack = torch.from_numpy(np.stack([images[k] for k in indices])).permute(0, 3, 1, 2)
            result[indices] = self._resize_and_crop(stack).float().sub_(self._mean).div_(self._std)
        return result

    @property
    def _batched(self) -> bool:
        square = self.size[0] == self.size[1]
        return self.config["resize_mode"] == "squash" or (
            self.config["resize_mode"] == "shortest" and square
        )

    def _resize_and_crop(self, stack: Tensor) -> Tensor:
        """Resize images uint8 (n, 3, H, W) and crop their center."""
        side = list(self.size) if self.config["resize_mode"] == "squash" else [self.size[0]]
        interpolation = (
            InterpolationMode.BILINEAR
            if self.config["interpolation"] == "bilinear"
            else InterpolationMode.BICUBIC
        )
        resized = tv.resize(stack.contiguous(), side, interpolation=interpolation, antialias=True)
        return tv.center_crop(resized, list(self.size))

"""Unit-length features of images and of classes, by a model of open_clip."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import open_clip
import torch
from torch import Tensor
from torch.nn import functional as F

from hw2.clip.feature_cache import Cache
from hw2.clip.images import LabeledImages
from hw2.clip.model import Clip
from hw2.runtime.device import fastest_precision
from hw2.runtime.progress import progress

Precision = Literal["fp32", "bf16", "fp16"]
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_TEXT_BATCH = 500  # texts that are encoded at a time


def precision(setting: str, device: torch.device) -> Precision:
    """Resolve `auto` for this device."""
    if setting == "auto":
        return fastest_precision(device)
    return "bf16" if setting == "bf16" else "fp32"


def image_encoder(clip: Clip, precision: Precision) -> Callable[[Sequence[np.ndarray]], Tensor]:
    """A function from images uint8 (H, W, 3) to unit-length features float32 (N, F) on the CPU.

    For half precision the image tower is copied with such weights; autocast would convert them in
    every call.
    """
    visual, dtype = clip.network.visual, _DTYPES[precision]
    if precision != "fp32":
        visual = copy.deepcopy(visual).to(dtype)

    @torch.inference_mode()
    def encode(images: Sequence[np.ndarray]) -> Tensor:
        batch = clip.preprocess(images).to(clip.device, dtype)
        return F.normalize(visual(batch).float(), dim=-1).cpu()

    return encode


@dataclass(frozen=True)
class Encoder:
    """Features of a model, read from the cache if they are in it.

    Attributes:
        clip: The model.
        cache: The cache of features.
        precision: Precision of the image tower; texts are always encoded in fp32.
        batch: Number of images at a time.
    """

    clip: Clip
    cache: Cache
    precision: Precision
    batch: int

    def images(self, images: LabeledImages) -> np.ndarray:
        """Image features float32 (N, F), each row of length 1."""
        inputs = {
            "weights": self.clip.located.sha256,
            "images": images.digest,
            "preprocess": self.clip.preprocess.config,
            "precision": self.precision,
        }
        return self.cache.get(inputs, lambda: self._image_features(images))

    def _image_features(self, images: LabeledImages) -> np.ndarray:
        encode, result = image_encoder(self.clip, self.precision), []
        with progress(len(images), f"{self.clip.located.name} features", unit="image") as bar:
            for start in range(0, len(images), self.batch):
                rows = range(start, min(start + self.batch, len(images)))
                result.append(encode(images.read(rows)))
                bar.update(len(rows))
        return torch.cat(result).numpy()

    def classes(self, names: Sequence[str], templates: Sequence[str]) -> np.ndarray:
        """Class features float32 (F, classes): the mean over a class's prompts, of length 1."""
        inputs = {
            "weights": self.clip.located.sha256,
            "classes": list(names),
            "templates": list(templates),
        }
        return self.cache.get(inputs, lambda: self._class_features(names, templates))

    def _class_features(self, names: Sequence[str], templates: Sequence[str]) -> np.ndarray:
        weights = open_clip.build_zero_shot_classifier(
            self.clip.network,
            self.clip.tokenize,
            classnames=names,
            templates=templates,
            num_classes_per_batch=max(1, _TEXT_BATCH // len(templates)),
            device=self.clip.device,
        )
        return weights.float().cpu().numpy()

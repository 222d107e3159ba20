"""The course's image and text scores: 100 times a cosine of CLIP features.

The text score is that of Hessel et al. (2021) without its factor of 2.5 and its clipping at 0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hw2.clip.features import image_encoder
from hw2.clip.model import Clip

TEXT_WEIGHT = 2.5
"""Of the text score in the sum that the course ranks images by."""
_BATCH_SIZE = 100  # images encoded at a time; bounds the memory of a large CLIP


class Scorer:
    """Compares images with photographs and with text.

    Args:
        clip: The model, on its device; images are encoded in fp32.
    """

    def __init__(self, clip: Clip) -> None:
        self._clip, self._encode = clip, image_encoder(clip, "fp32")
        self._texts: dict[str, np.ndarray] = {}

    def features(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Features float32 (N, F) of images uint8 (H, W, 3), each row of length 1."""
        batches = [list(images[k : k + _BATCH_SIZE]) for k in range(0, len(images), _BATCH_SIZE)]
        return torch.cat([self._encode(batch) for batch in batches]).numpy()

    def text(self, images: Sequence[np.ndarray], prompt: str) -> np.ndarray:
        """Text scores, float (N,)."""
        return 100 * (self.features(images) @ self._text(prompt)).astype(np.float64)

    def image_and_text(
        self, images: Sequence[np.ndarray], references: np.ndarray, prompt: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """Image scores and text scores, float (N,) each."""
        features = self.features(images)
        image = 100 * (features @ references.T).mean(1).astype(np.float64)
        return image, 100 * (features @ self._text(prompt)).astype(np.float64)

    @torch.inference_mode()
    def _text(self, prompt: str) -> np.ndarray:
        if prompt not in self._texts:
            network: Any = self._clip.network
            tokens: Tensor = self._clip.tokenize([prompt]).to(self._clip.device)
            features = F.normalize(network.encode_text(tokens).float(), dim=-1)
            self._texts[prompt] = features[0].cpu().numpy()
        return self._texts[prompt]


def halves(images: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The left and the right square of each image, each 9/16 of its width."""
    left, right = [], []
    for image in images:
        height, width = image.shape[:2]
        side = round(0.5625 * width)
        top = (height - side) // 2
        left.append(image[top : top + side, :side])
        right.append(image[top : top + side, width - side :])
    return left, right


def pair_image_scores(
    scorer: Scorer,
    images: Sequence[np.ndarray],
    first: np.ndarray,
    second: np.ndarray,
    *,
    has_style: bool = False,
) -> np.ndarray:
    """Image scores of two concepts in one image, float (N, 2).

    Each half is compared with the references of each concept. The better of the two assignments of
    halves to concepts counts, so an image that shows one concept twice has a low score for the
    other. An object in a style has no half of its own: with `has_style` the whole image is compared
    with the references of both.
    """
    if has_style:
        features = scorer.features(images)
        scores = [100 * (features @ references.T).mean(1) for references in (first, second)]
        return np.stack(scores, 1).astype(np.float64)
    half_features = [scorer.features(half) for half in halves(images)]
    table = np.array(
        [[100 * (side @ refs.T).mean(1) for refs in (first, second)] for side in half_features]
    )  # (side, concept, N)
    straight = np.stack([table[0, 0], table[1, 1]], 1)
    crossed = np.stack([table[1, 0], table[0, 1]], 1)
    better = (straight.sum(1) >= crossed.sum(1))[:, None]
    return np.where(better, straight, crossed).astype(np.float64)

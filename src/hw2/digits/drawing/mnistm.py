"""MNIST-M-like digits: handwriting on photographs and textures.

The recipe is that of MNIST-M (Ganin et al., 2016): |digit - patch|, channel by channel. As in the
published images, the digit is binary, so that a pixel is that of the patch or its inverse.
"""

import numpy as np

from hw2.digits.drawing import backgrounds, hands, handwriting
from hw2.digits.drawing.painter import Painter

_INK = 0.02  # share of a pixel that the pen covers from which on the pixel is ink
_CONTRAST = 42  # least mean difference of ink and patch in gray levels


def painter(split: str, seed: int) -> Painter:
    """The painter of a split."""
    table = hands.table("mnistm", split, seed, handwriting.MNIST_STYLE)
    scenery = backgrounds.load(split, seed)

    def paint(digits: np.ndarray, random: np.random.Generator) -> np.ndarray:
        ink = handwriting.mnist_like(table, digits, random) > _INK
        patches = scenery.patches(len(digits), random)
        while (flat := _flat(ink, patches)).any():  # on mid-gray, |digit - patch| is invisible
            patches[flat] = scenery.patches(int(flat.sum()), random)
        return np.where(ink[..., None], 255 - patches, patches).round().astype(np.uint8)

    return paint


def _flat(ink: np.ndarray, patches: np.ndarray) -> np.ndarray:
    """Whether the ink would not show on the patch: bool (N,)."""
    contrast = np.abs(255 - 2 * patches).mean(-1)
    return (contrast * ink).sum((1, 2)) < _CONTRAST * ink.sum((1, 2))

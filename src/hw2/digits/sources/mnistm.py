"""MNIST-M, made from MNIST by the recipe of Ganin et al. (2016, arXiv:1505.07818, section 5.2.4).

An image is |digit - patch|, channel by channel, with a random patch of a BSDS500 training
photograph. The digit is binary, with ink wherever MNIST is above 0: on plain patches the published
images are inverted exactly there (no pixel differs in 588 images), and gray edges would give other
means.
"""

from pathlib import Path

import numpy as np

from hw2 import rng
from hw2.digits.sources import bsds500, mnist
from hw2.digits.sources.source import Blend, PublicSource

SIZE = mnist.SIZE


def blender(raw: Path, seed: int) -> Blend:
    """The function that blends MNIST's images with the photographs in `raw`.

    Raises:
        UserError: if the photographs are missing or damaged.
    """
    photographs = bsds500.by_split(raw, seed, SIZE)
    return lambda split, images, rows: blend(images, photographs[split], seed, split, rows)


def blend(
    images: np.ndarray, photographs: list[np.ndarray], seed: int, split: str, rows: np.ndarray
) -> np.ndarray:
    """|ink - patch| for digits uint8 (N, 28, 28, 1): uint8 (N, 28, 28, 3).

    The ink is 255 where the digit is above 0, so a pixel is that of the patch or its inverse. The
    patch depends on the digit's row in its table, not on the other rows that are kept.
    """
    blended = np.empty((len(images), SIZE, SIZE, 3), np.uint8)
    for k, row in enumerate(rows):
        random = rng.numpy_rng(seed, "mnistm", split, int(row))
        photograph = photographs[random.integers(len(photographs))]
        top = random.integers(photograph.shape[0] - SIZE + 1)
        left = random.integers(photograph.shape[1] - SIZE + 1)
        patch = photograph[top : top + SIZE, left : left + SIZE]
        blended[k] = np.where(images[k] > 0, 255 - patch, patch)
    return blended


SOURCE = PublicSource(
    files=(*mnist.SOURCE.files, bsds500.ARCHIVE),
    read=mnist.read,
    images=mnist.SOURCE.images,
    divided_as=mnist.SOURCE.divided_as,  # both have the same MNIST digits in each split
    blender=blender,
)

"""Synthetic digits of 28x28 pixels, drawn from a seed without a download."""

import numpy as np

from hw2 import rng
from hw2.digits import domains
from hw2.digits.labels import NUM_DIGITS

_CHUNK = 100  # images that share a random stream; a multiple of the number of digits


def draw(key: str, split: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` images of one domain and split, with equal shares of the digits in random order.

    The first images do not depend on `count`: images are painted in whole chunks, each from its own
    random stream, and the last chunk is cut.

    Returns:
        `(images, digits)`: uint8 (count, 28, 28, 3), or (count, 28, 28, 1) for a grayscale domain,
        and int64 (count,).

    Raises:
        UserError: if the domain is unknown or has no synthetic images.
    """
    domains.require([key], "synthetic")
    make_painter = domains.DOMAINS[key].painter
    assert make_painter is not None  # checked by `require`
    paint = make_painter(split, seed)
    images, digits = [], []
    for chunk in range(-(-count // _CHUNK)):
        random = rng.numpy_rng(seed, "digits", key, split, chunk)
        digits.append(_balanced(random))
        images.append(paint(digits[-1], random))
    return np.concatenate(images)[:count], np.concatenate(digits)[:count]


def _balanced(random: np.random.Generator) -> np.ndarray:
    """The digits of a chunk: each ten images in a row show all digits; int64 (_CHUNK,)."""
    tens = np.tile(np.arange(NUM_DIGITS), (_CHUNK // NUM_DIGITS, 1))
    return random.permuted(tens, axis=1).reshape(-1)

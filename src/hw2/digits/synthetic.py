"""Synthetic digits of 28x28 pixels, drawn from a seed without a download."""

import numpy as np

from hw2 import rng
from hw2.digits import domains
from hw2.digits.labels import NUM_DIGITS


def draw(key: str, split: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` images of one domain and split, with equal shares of the digits in random order.

    Returns:
        `(images, digits)`: uint8 (count, 28, 28, 3), or (count, 28, 28, 1) for a grayscale domain,
        and int64 (count,).

    Raises:
        UserError: if the domain is unknown or has no synthetic images.
    """
    domains.require([key], "synthetic")
    make_painter = domains.DOMAINS[key].painter
    assert make_painter is not None  # checked by `require`
    random = rng.numpy_rng(seed, "digits", key, split)
    digits = random.permutation(np.arange(count) % NUM_DIGITS)
    paint = make_painter(split, seed)
    return np.stack([paint(int(digit), random) for digit in digits]), digits

"""USPS-like digits: gray handwriting that fills the frame, in hands of its own."""

import numpy as np

from hw2.digits.drawing import hands, handwriting
from hw2.digits.drawing.painter import Painter


def painter(split: str, seed: int) -> Painter:
    """The painter of a split."""
    table = hands.table("usps", split, seed, handwriting.USPS_STYLE)

    def paint(digits: np.ndarray, random: np.random.Generator) -> np.ndarray:
        ink = handwriting.usps_like(table, digits, random)
        return (255 * ink[..., None]).round().astype(np.uint8)

    return paint

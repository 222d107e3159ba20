"""The type of the painters of synthetic digits."""

from collections.abc import Callable

import numpy as np

Painter = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""From digits int (N,) and a random generator to images uint8 (N, 28, 28, C)."""

MakePainter = Callable[[str, int], Painter]
"""From a split and a seed to the painter. Both decide its hands, typefaces and backgrounds."""

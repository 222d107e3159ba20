"""Embeddings of styles, computed from what the styles do.

A model that learns an embedding for each of some hundreds of named styles draws these, and little
between them, so that inversion does not find a new one. Computed embeddings let every training
image be in a style of its own, with which the space between named styles is learned.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hw2.shapes import styles, vocabulary
from hw2.shapes.styles import Styles

_HIDDEN = 256
_LENGTH = 4.0
_PATTERNS = (styles.NO_PATTERN, styles.HATCHED, styles.SCREENED, styles.GRIDDED)


class StyleEmbedding(nn.Module):
    """A network from the features of styles, float (N, F), to token embeddings (N, width).

    All embeddings have the length that trained ones of other tokens have. Without this they grew
    to six times of it, and inversion, whose steps have the size of its learning rate, hardly moved
    them.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inputs = features(vocabulary.style_meanings(1)).shape[1]
        self.layers = nn.Sequential(
            nn.Linear(inputs, _HIDDEN), nn.SiLU(),
            nn.Linear(_HIDDEN, _HIDDEN), nn.SiLU(),
            nn.Linear(_HIDDEN, width),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        return _LENGTH * F.normalize(self.layers(features), dim=1)


def features(drawn: Styles) -> Tensor:
    """What the styles do as numbers of about unit size, float32 (N, F).

    Amounts that have no effect are 0: those of a pattern or frame that a style has not. Directions
    are periodic: a line turned by half a turn, or a grid by a quarter, is the same.
    """
    kinds = np.array(_PATTERNS) == drawn.pattern[:, None]
    patterned = (drawn.pattern != styles.NO_PATTERN)[:, None]
    framed = (drawn.frame > 0)[:, None]
    turns = [f(k * drawn.angle) for k in (2, 4) for f in (np.cos, np.sin)]
    lines = np.stack([*turns, (drawn.period - 8) / 2, 10 * (drawn.strength - 0.52)], 1)
    parts = [
        4 * (drawn.dark - 0.22), 4 * (drawn.light - 0.78), 10 * (drawn.tone[:, None] - 0.67), kinds,
        patterned * lines, patterned * 3 * (drawn.pattern_color - 0.4),
        framed, framed * (drawn.frame[:, None] - 4.2), framed * 3 * (drawn.frame_color - 0.5),
    ]  # fmt: skip
    return torch.from_numpy(np.concatenate(parts, 1).astype(np.float32))

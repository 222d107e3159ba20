"""The shapes, colors, backgrounds and textures of the synthetic images, and the words for them."""

import numpy as np

SHAPES = ("circle", "square", "triangle", "star", "cross", "heart", "ring", "diamond")
UNNAMED_SHAPES = ("moon", "hexagon", "bar", "flower")
"""Shapes that no caption names: textual inversion finds something new in them."""
NOUNS = ("object", "thing", "shape", "toy")
"""Words for a shape that is not named."""

COLORS = {
    "red": (0.90, 0.12, 0.12),
    "green": (0.10, 0.65, 0.20),
    "blue": (0.12, 0.25, 0.90),
    "yellow": (0.95, 0.85, 0.10),
    "purple": (0.55, 0.15, 0.75),
    "orange": (0.98, 0.52, 0.05),
    "white": (0.97, 0.97, 0.97),
    "black": (0.05, 0.05, 0.05),
}
"""Names to RGB in [0, 1]."""
BACKGROUNDS = {
    "gray": (0.60, 0.60, 0.60),
    "pink": (0.98, 0.72, 0.80),
    "brown": (0.45, 0.30, 0.18),
    "cyan": (0.45, 0.88, 0.90),
}
TEXTURES = ("plain", "striped", "dotted")

HELD_OUT = (
    ("red", "heart"),
    ("blue", "star"),
    ("green", "ring"),
    ("yellow", "square"),
    ("purple", "triangle"),
    ("orange", "cross"),
)
"""(Color, shape) pairs of which there is no training image: they test composition."""

TEST_COLORS = tuple(COLORS)[:6]
CLASSES = tuple((color, shape) for color in TEST_COLORS for shape in SHAPES)
"""The 48 classes of the zero-shot test, by class id."""

PREFIXES = ("a photo of", "a picture of", "")
PREFIX_SHARES = (0.6, 0.2, 0.2)


def is_held_out() -> np.ndarray:
    """Which pairs are held out: bool (colors, shapes), in the order of COLORS and SHAPES."""
    table = np.zeros((len(COLORS), len(SHAPES)), bool)
    for color, shape in HELD_OUT:
        table[tuple(COLORS).index(color), SHAPES.index(shape)] = True
    return table


def with_article(phrase: str) -> str:
    """The phrase with its article, "a" or "an"."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def vocabulary() -> tuple[str, ...]:
    """Every word that captions use."""
    phrases = [*SHAPES, *NOUNS, *COLORS, *BACKGROUNDS, *TEXTURES, *PREFIXES, "on a background"]
    words = " ".join([*phrases, "an and next to"]).split()
    return tuple(dict.fromkeys(words))

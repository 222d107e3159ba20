"""The words of captions and what they mean: shapes, colors, textures, nouns and styles.

Shapes, colors and textures are words of English. Nouns and styles are invented words: a noun is one
composite object ("ladybird" fixes outline, colors and texture at once), a style one change of the
whole image.
"""

from functools import cache

import numpy as np

from hw2 import rng
from hw2.io.images import LUMA
from hw2.shapes import render, styles
from hw2.shapes.outlines import CROSS, HEART, POLAR, Outlines
from hw2.shapes.records import concatenated
from hw2.shapes.render import Looks

_SQUARE_NOTCH = float(np.cos(np.pi / 4))
_POLYGON = {sides: float(np.cos(np.pi / sides)) for sides in (3, 5, 6)}
# family, lobes, notch, roundness, aspect, hole, bite, bend
SHAPES: dict[str, tuple[float, ...]] = {
    "circle": (POLAR, 4, 1.0, 1, 1, 0, 0, 0),
    "square": (POLAR, 4, _SQUARE_NOTCH, 0, 1, 0, 0, 0),
    "triangle": (POLAR, 3, _POLYGON[3], 0, 1, 0, 0, 0),
    "star": (POLAR, 5, 0.42, 0, 1, 0, 0, 0),
    "cross": (CROSS, 4, 1.0, 0, 1, 0, 0, 0),
    "heart": (HEART, 4, 1.0, 0, 1, 0, 0, 0),
    "ring": (POLAR, 4, 1.0, 1, 1, 0.5, 0, 0),
    "diamond": (POLAR, 4, _SQUARE_NOTCH, 0, 0.68, 0, 0, 0),
    "moon": (POLAR, 4, 1.0, 1, 1, 0, 1, 0),
    "hexagon": (POLAR, 6, _POLYGON[6], 0, 1, 0, 0, 0),
    "flower": (POLAR, 6, 0.55, 1, 1, 0, 0, 0),
}
"""Names to the fields of `Outlines`."""
TEST_SHAPES = tuple(SHAPES)[:8]
"""Shapes of the zero-shot test set."""
_QUARTER_TURN = {"square"}  # drawn with a corner at the top unless it is turned

COLORS = {
    "red": (0.88, 0.10, 0.12),
    "green": (0.10, 0.62, 0.20),
    "blue": (0.12, 0.25, 0.88),
    "yellow": (0.96, 0.86, 0.12),
    "purple": (0.50, 0.14, 0.70),
    "orange": (0.98, 0.52, 0.05),
    "white": (0.97, 0.97, 0.97),
    "black": (0.05, 0.05, 0.05),
    "teal": (0.05, 0.55, 0.55),
    "magenta": (0.90, 0.15, 0.65),
}
"""Names of object colors, RGB in [0, 1]."""
TEST_COLORS = tuple(COLORS)[:6]
BACKGROUNDS = {
    "gray": (0.60, 0.60, 0.60),
    "pink": (0.98, 0.75, 0.82),
    "brown": (0.45, 0.30, 0.18),
    "cyan": (0.50, 0.88, 0.90),
    "beige": (0.93, 0.88, 0.76),
    "navy": (0.08, 0.12, 0.32),
}
TEXTURES = {
    "plain": render.PLAIN,
    "striped": render.STRIPED,
    "dotted": render.DOTTED,
    "ringed": render.RINGED,
    "halved": render.HALVED,
    "checked": render.CHECKED,
}
TEST_TEXTURES = ("plain", "striped", "dotted")
"""Textures of the zero-shot test set."""
PATTERNS = {
    "stripes": render.STRIPED,
    "dots": render.DOTTED,
    "rings": render.RINGED,
    "checks": render.CHECKED,
}
"""Textures as nouns, in "with yellow stripes"."""
GENERIC = ("object", "thing", "toy")
"""Words for an object that no other word describes."""

HELD_OUT = (
    ("red", "heart"),
    ("blue", "star"),
    ("green", "ring"),
    ("yellow", "square"),
    ("purple", "triangle"),
    ("orange", "cross"),
)
"""Pairs of color and shape that no training image shows: the test of composition."""
CLASSES = tuple((color, shape) for color in TEST_COLORS for shape in TEST_SHAPES)
"""The 48 classes of the zero-shot test set, by class id."""
PREFIXES = ("a photo of", "a picture of", "")
PREFIX_SHARES = (0.6, 0.2, 0.2)

MAX_NOUNS, MAX_STYLES = 3000, 600
_FIRST_STYLES = 200  # the words before the nouns; further styles have the words after them
_SEED = 7  # the meaning of invented words is part of the language, not of a run
_LUMA = np.array(LUMA, np.float32)
_ONSETS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_CODAS = ("", "k", "l", "m", "n", "r", "x")


@cache
def invented_words(count: int) -> tuple[str, ...]:
    """Pronounceable words of two syllables in a fixed random order; all differ."""
    first = [a + v + c for a in _ONSETS for v in _VOWELS for c in "lmnrx"]
    last = [a + v + c for a in _ONSETS for v in _VOWELS for c in _CODAS]
    stream = rng.numpy_rng(_SEED, "invented words")
    heads = [first[k] for k in stream.permutation(len(first))[:60]]
    tails = [last[k] for k in stream.permutation(len(last))[:60]]
    words = [head + tail for head in heads for tail in tails]
    return tuple(words[k] for k in stream.permutation(len(words))[:count])


def nouns(count: int) -> tuple[str, ...]:
    """The first `count` nouns, at most `MAX_NOUNS`."""
    return invented_words(_FIRST_STYLES + count)[_FIRST_STYLES:]


def style_names(count: int) -> tuple[str, ...]:
    """The names of the first `count` styles, at most `MAX_STYLES`."""
    words = invented_words(MAX_NOUNS + MAX_STYLES)
    return (words[:_FIRST_STYLES] + words[_FIRST_STYLES + MAX_NOUNS :])[:count]


@cache
def noun_looks(count: int) -> Looks:
    """What the first `count` nouns mean."""
    return random_looks(rng.numpy_rng(_SEED, "nouns"), MAX_NOUNS)[:count]


@cache
def style_meanings(count: int) -> styles.Styles:
    """What the first `count` styles do."""
    first = styles.random_styles(rng.numpy_rng(_SEED, "styles"), _FIRST_STYLES)
    further = styles.random_styles(
        rng.numpy_rng(_SEED, "further styles"), MAX_STYLES - _FIRST_STYLES
    )
    return concatenated([first, further])[:count]


@cache
def palette() -> np.ndarray:
    """The named colors of matplotlib (XKCD), RGB float32 (949, 3)."""
    from matplotlib.colors import XKCD_COLORS, to_rgb  # slow to import

    return np.array([to_rgb(value) for value in XKCD_COLORS.values()], np.float32)


def random_looks(stream: np.random.Generator, count: int) -> Looks:
    """Draw composite objects, of which nouns and held-out concepts are examples."""
    fill = palette()[stream.integers(len(palette()), size=count)]
    texture = stream.choice(6, size=count, p=(0.25, 0.17, 0.17, 0.14, 0.14, 0.13))
    return Looks(
        outline=_random_outlines(stream, count),
        fill=fill,
        texture=texture,
        texture_color=contrasting(stream, fill),
        period=stream.uniform(0.5, 0.75, count),
        texture_angle=stream.choice((0, np.pi / 4, np.pi / 2, 3 * np.pi / 4), size=count),
        core=np.where(stream.random(count) < 0.3, stream.uniform(0.25, 0.4, count), 0),
        core_color=contrasting(stream, fill),
        rim=np.where(stream.random(count) < 0.35, stream.uniform(0.1, 0.17, count), 0),
        rim_color=contrasting(stream, fill),
        shading=np.where(stream.random(count) < 0.3, stream.uniform(0.25, 0.5, count), 0),
    )


def _random_outlines(stream: np.random.Generator, count: int) -> Outlines:
    named = np.array(list(SHAPES.values()))[stream.integers(len(SHAPES), size=count)]
    free = stream.random(count) < 0.6  # the others are variants of a named shape
    lobes = stream.integers(3, 9, size=count)
    notch = np.clip(stream.uniform(0.4, 1.0, count), None, np.cos(np.pi / lobes) + 0.1)
    straight = stream.random(count) < 0.5

    def chosen(column: int, random: np.ndarray) -> np.ndarray:
        return np.where(free, random, named[:, column])

    def sometimes(share: float, low: float, high: float) -> np.ndarray:
        return np.where(stream.random(count) < share, stream.uniform(low, high, count), 0)

    aspect = np.exp(sometimes(0.5, -0.3, 0.3))
    return Outlines(
        family=chosen(0, np.full(count, POLAR)).astype(int),
        lobes=chosen(1, lobes).astype(int),
        notch=chosen(2, notch),
        roundness=chosen(3, np.where(straight, 0.0, 1.0)),
        aspect=chosen(4, np.ones(count)) * aspect,
        hole=chosen(5, sometimes(0.12, 0.25, 0.45)),
        bite=chosen(6, sometimes(0.12, 0.4, 0.9)),
        bend=sometimes(0.3, -0.35, 0.35),
    )


def contrasting(stream: np.random.Generator, colors: np.ndarray) -> np.ndarray:
    """A random color of the palette that differs clearly from each of `colors` (N, 3)."""
    candidates = palette()[stream.integers(len(palette()), size=(len(colors), 12))]
    apart = np.linalg.norm(candidates - colors[:, None], axis=-1)
    first = (apart > 0.6).argmax(1)  # the first candidate if none is so far away
    return candidates[np.arange(len(colors)), first]


def default_texture_color(fill: np.ndarray) -> np.ndarray:
    """A darker color for the texture of a light object, a lighter one for that of a dark one."""
    light = (fill @ _LUMA > 0.5)[..., None]
    return np.where(light, fill * 0.4, fill * 0.35 + 0.65).astype(np.float32)


def named_looks(
    shapes: np.ndarray, fill: np.ndarray, texture: np.ndarray, texture_color: np.ndarray
) -> Looks:
    """Plain objects of named shapes: `shapes` int (N,) are indices into SHAPES."""
    table = np.array(list(SHAPES.values()))[shapes]
    names = ("family", "lobes", "notch", "roundness", "aspect", "hole", "bite", "bend")
    fields = {name: table[:, k] for k, name in enumerate(names)}
    fields |= {name: fields[name].astype(int) for name in ("family", "lobes")}
    count = len(shapes)
    return Looks(
        outline=Outlines(**fields), fill=fill, texture=texture, texture_color=texture_color,
        period=np.full(count, 0.62), texture_angle=np.full(count, np.pi / 4),
        core=np.zeros(count), core_color=fill, rim=np.zeros(count), rim_color=fill,
        shading=np.zeros(count),
    )  # fmt: skip


def upright(shapes: np.ndarray) -> np.ndarray:
    """Angles that turn the named shapes upright, float (N,)."""
    turned = np.array([np.pi / 4 if name in _QUARTER_TURN else 0.0 for name in SHAPES])
    return turned[shapes]


def is_held_out() -> np.ndarray:
    """Which pairs are held out: bool (colors, shapes), in the order of COLORS and SHAPES."""
    table = np.zeros((len(COLORS), len(SHAPES)), bool)
    for color, shape in HELD_OUT:
        table[tuple(COLORS).index(color), tuple(SHAPES).index(shape)] = True
    return table


def with_article(phrase: str) -> str:
    """The phrase with its article, "a" or "an"."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def words(num_nouns: int, num_styles: int) -> tuple[str, ...]:
    """Every word of captions: English ones, then nouns, then names of styles."""
    phrases = [*SHAPES, *COLORS, *BACKGROUNDS, *TEXTURES, *PATTERNS, *GENERIC, *PREFIXES]
    text = " ".join([*phrases, "a an and next to above with core rim shiny on a background"])
    english = dict.fromkeys(f"{text} in the style of".split())
    return (*english, *nouns(num_nouns), *style_names(num_styles))

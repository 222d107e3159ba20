"""Random scenes with captions for training, and the images of the zero-shot test set.

A random stream draws a block of a thousand scenes, so the first images do not depend on the number
of images.
"""

from dataclasses import dataclass, replace

import numpy as np

from hw2 import rng
from hw2.config import params
from hw2.shapes import render, styles, vocabulary
from hw2.shapes.records import concatenated, selected
from hw2.shapes.render import Looks, Placement

BLOCK = 1000
_DOUBLE = 0.35  # share of scenes with two objects
_NOUN, _GENERIC = 0.5, 0.08  # shares of objects that a noun or a generic word names
_STYLED = 0.2  # share of scenes in a named style
_SAYS_BACKGROUND = 0.7
_ABOVE, _NEXT_TO = 0.2, 0.3  # shares of double scenes; the others are "A and B"
_COLORS = np.array(list(vocabulary.COLORS.values()), np.float32)
_BACKGROUNDS = np.array(list(vocabulary.BACKGROUNDS.values()), np.float32)


@dataclass(frozen=True)
class CaptionedImages:
    """Images with their captions.

    Attributes:
        images: uint8 (N, size, size, 3).
        captions: N sentences.
        of_one_noun: bool (N,), whether the image shows a single object that a noun names, in no
            style.
        styles: N styles; an image whose caption names none is in none.
    """

    images: np.ndarray
    captions: list[str]
    of_one_noun: np.ndarray
    styles: styles.Styles


@dataclass(frozen=True)
class TestSet:
    """Images of one object each, with its class and texture.

    Attributes:
        images: uint8 (N, size, size, 3).
        classes: int (N,), indices into `vocabulary.CLASSES`.
        textures: int (N,), indices into `vocabulary.TEST_TEXTURES`.
    """

    images: np.ndarray
    classes: np.ndarray
    textures: np.ndarray


def training(shapes: params.Shapes, *, own_styles: bool = False) -> CaptionedImages:
    """Draw `shapes.train_images` random scenes, without the pairs `vocabulary.HELD_OUT`.

    With `own_styles`, no two images are in the same style, and the captions of all that are in one
    name the first of `vocabulary.style_names`.
    """
    count = shapes.train_images
    blocks = [_block(shapes, number, own_styles) for number in range(-(-count // BLOCK))]
    return CaptionedImages(
        np.concatenate([item.images for item in blocks])[:count],
        [text for item in blocks for text in item.captions][:count],
        np.concatenate([item.of_one_noun for item in blocks])[:count],
        concatenated([item.styles for item in blocks])[:count],
    )


def _block(shapes: params.Shapes, number: int, own_styles: bool) -> CaptionedImages:
    """Block `number` of a thousand scenes."""
    num_nouns, num_styles = shapes.num_nouns, shapes.num_styles
    stream = rng.numpy_rng(shapes.seed, "shapes", "train", number)
    n = BLOCK
    double = stream.random(n) < _DOUBLE
    above = double & (stream.random(n) < _ABOVE)
    next_to = double & ~above & (stream.random(n) < _NEXT_TO)
    items = [_Items(stream, num_nouns) for _ in range(2)]
    background = stream.integers(len(_BACKGROUNDS), size=n)
    grounds = jittered(stream, _BACKGROUNDS[background], 0.03)
    single_placement = centered(stream, np.arange(n))
    firsts = beside(stream, np.arange(n), -0.5, above)
    seconds = beside(stream, np.arange(n), 0.5, above)
    placements = [selected(double, firsts, single_placement), seconds]
    rows = [np.arange(n), np.flatnonzero(double)]
    looks = concatenated([item.looks[chosen] for item, chosen in zip(items, rows, strict=True)])
    angles = [item.upright for item in items]
    placement = concatenated(
        [
            Placement(p.image, p.position, p.radius, p.angle + angle)[chosen]
            for p, angle, chosen in zip(placements, angles, rows, strict=True)
        ]
    )
    canvas, _ = render.render(grounds, looks, placement, shapes.image_size)
    styled = np.flatnonzero(stream.random(n) < _STYLED) if num_styles else np.array([], int)
    name = stream.integers(max(1, num_styles), size=n)
    style = vocabulary.style_meanings(max(1, num_styles))[name]
    if own_styles:
        name[:] = 0
        style = styles.random_styles(rng.numpy_rng(shapes.seed, "own styles", number), n)
    canvas[styled] = styles.apply(style[styled], canvas[styled])
    prefix = stream.choice(len(vocabulary.PREFIXES), size=n, p=vocabulary.PREFIX_SHARES)
    says_background = stream.random(n) < _SAYS_BACKGROUND
    backgrounds, names = tuple(vocabulary.BACKGROUNDS), vocabulary.style_names(num_styles)
    captions = []
    for i in range(n):
        text = items[0].phrases[i]
        if double[i]:
            relation = "above" if above[i] else "next to" if next_to[i] else "and"
            text += f" {relation} {items[1].phrases[i]}"
        if says_background[i]:
            text += f" on a {backgrounds[background[i]]} background"
        captions.append(f"{vocabulary.PREFIXES[prefix[i]]} {text}".strip())
    for i in styled:
        captions[i] += f" in the style of {names[name[i]]}"
    of_one_noun = items[0].is_noun & ~double
    of_one_noun[styled] = False
    return CaptionedImages(render.to_uint8(canvas), captions, of_one_noun, style)


def test_set(split: str, per_class: int, size: int, seed: int) -> TestSet:
    """Draw `per_class` images of each of `vocabulary.CLASSES`, class by class.

    Half of the objects are plain. `split` names the random stream.
    """
    stream = rng.numpy_rng(seed, "shapes", "test set", split)
    classes = np.repeat(np.arange(len(vocabulary.CLASSES)), per_class)
    color, shape = np.divmod(classes, len(vocabulary.TEST_SHAPES))  # classes are sorted by color
    count = len(classes)
    patterned = stream.random(count) < 0.5
    textures = np.where(patterned, stream.integers(1, 3, size=count), 0)
    kinds = np.array([vocabulary.TEXTURES[name] for name in vocabulary.TEST_TEXTURES])
    fill = jittered(stream, _COLORS[color], 0.04)
    looks = vocabulary.named_looks(
        shape, fill, kinds[textures], vocabulary.default_texture_color(fill)
    )
    grounds = jittered(stream, _BACKGROUNDS[stream.integers(len(_BACKGROUNDS), size=count)], 0.03)
    placement = centered(stream, np.arange(count))
    upright = replace(placement, angle=placement.angle + vocabulary.upright(shape))
    images, _ = render.render(grounds, looks, upright, size)
    return TestSet(render.to_uint8(images), classes, textures)


class _Items:
    """An object for each scene of a block, with its phrase and whether that is a noun."""

    def __init__(self, stream: np.random.Generator, num_nouns: int) -> None:
        n = BLOCK
        u = stream.random(n)
        noun_share = _NOUN if num_nouns else 0.0
        is_noun = u < noun_share
        is_generic = (u >= noun_share) & (u < noun_share + _GENERIC)
        described, phrases, angle = _described(stream)
        noun = stream.integers(max(1, num_nouns), size=n)
        looks = selected(is_generic, vocabulary.random_looks(stream, n), described)
        if num_nouns:
            looks = selected(is_noun, varied(stream, vocabulary.noun_looks(num_nouns)[noun]), looks)
        self.looks, self.is_noun = looks, is_noun
        self.upright = np.where(is_noun | is_generic, 0.0, angle)
        names = vocabulary.nouns(num_nouns)
        generic = stream.integers(len(vocabulary.GENERIC), size=n)
        for i in np.flatnonzero(is_noun):
            phrases[i] = vocabulary.with_article(names[noun[i]])
        for i in np.flatnonzero(is_generic):
            phrases[i] = vocabulary.with_article(vocabulary.GENERIC[generic[i]])
        self.phrases = phrases


def _described(stream: np.random.Generator) -> tuple[Looks, list[str], np.ndarray]:
    """Objects whose parts a phrase spells out: looks, phrases and angles of shapes that stand."""
    n = BLOCK
    allowed = np.argwhere(~vocabulary.is_held_out())
    color, shape = allowed[stream.integers(len(allowed), size=n)].T
    fill = jittered(stream, _COLORS[color], 0.04)
    textured = stream.random(n) < 0.5
    textures = tuple(vocabulary.TEXTURES)
    texture = np.where(textured, stream.integers(1, len(textures), size=n), 0)
    looks = vocabulary.named_looks(shape, fill, texture, vocabulary.default_texture_color(fill))
    # Parts in colors of their own: "with yellow stripes", "with a white core", "with a black rim".
    other = (color[None] + stream.integers(1, len(_COLORS), size=(3, n))) % len(_COLORS)
    own = jittered(stream, _COLORS[other], 0.04)
    has_pattern = textured & (texture != render.HALVED) & (stream.random(n) < 0.5)
    has_core, has_rim, shiny = stream.random((3, n)) < np.array([[0.15], [0.15], [0.1]])
    parts = {
        "texture_color": np.where(has_pattern[:, None], own[0], looks.texture_color),
        "core": np.where(has_core, 0.33, 0.0), "core_color": own[1],
        "rim": np.where(has_rim, 0.14, 0.0), "rim_color": own[2],
        "shading": np.where(shiny, 0.45, 0.0),
    }  # fmt: skip
    looks = Looks(**{**vars(looks), **parts})
    says_plain = stream.random(n) < 0.2
    shapes, colors = tuple(vocabulary.SHAPES), tuple(vocabulary.COLORS)
    patterns = {value: name for name, value in vocabulary.PATTERNS.items()}
    phrases = []
    for i in range(n):
        adjectives = ["shiny"] * bool(shiny[i])
        if not has_pattern[i] and (texture[i] or says_plain[i]):
            adjectives.append(textures[texture[i]])
        text = vocabulary.with_article(" ".join([*adjectives, colors[color[i]], shapes[shape[i]]]))
        details = []
        if has_pattern[i]:
            details.append(f"{colors[other[0, i]]} {patterns[texture[i]]}")
        if has_core[i]:
            details.append(f"{vocabulary.with_article(colors[other[1, i]])} core")
        if has_rim[i]:
            details.append(f"{vocabulary.with_article(colors[other[2, i]])} rim")
        phrases.append(text + (" with " + " and ".join(details) if details else ""))
    return looks, phrases, vocabulary.upright(shape)


def varied(stream: np.random.Generator, looks: Looks) -> Looks:
    """The same objects with the small variation between examples of one kind."""
    names = ("fill", "texture_color", "core_color", "rim_color")
    return Looks(
        **{**vars(looks), **{name: jittered(stream, vars(looks)[name], 0.02) for name in names}}
    )


def centered(stream: np.random.Generator, image: np.ndarray) -> Placement:
    """Objects alone in their images."""
    n = len(image)
    return Placement(
        image, position=stream.uniform(-0.2, 0.2, (n, 2)), radius=stream.uniform(0.5, 0.72, n),
        angle=stream.uniform(-0.2, 0.2, n),
    )  # fmt: skip


def beside(
    stream: np.random.Generator, image: np.ndarray, side: float, above: np.ndarray
) -> Placement:
    """The first (`side` < 0) or second object of two: left and right, or above and below."""
    n = len(image)
    along = side + stream.uniform(-0.05, 0.05, n)
    across = stream.uniform(-0.25, 0.25, n)
    position = np.where(above[:, None], np.stack([across, along], 1), np.stack([along, across], 1))
    return Placement(
        image, position, radius=stream.uniform(0.36, 0.44, n), angle=stream.uniform(-0.2, 0.2, n)
    )


def jittered(stream: np.random.Generator, colors: np.ndarray, sigma: float) -> np.ndarray:
    """The colors with normal noise of standard deviation `sigma`, within [0, 1]."""
    noise = stream.standard_normal(colors.shape, dtype=np.float32)
    return (colors + np.float32(sigma) * noise).clip(0, 1)

"""Random scenes with captions for training, and the images of the zero-shot test set.

A random stream draws a block of a thousand scenes, so the first images do not depend on the number
of images.
"""

from dataclasses import dataclass

import numpy as np

from hw2 import rng
from hw2.io.images import LUMA
from hw2.shapes import vocabulary
from hw2.shapes.render import KINDS, PLAIN, Objects, render

BLOCK = 1000
SINGLE, DOUBLE = 0.60, 0.28  # shares of scenes; the others show one object without a name
_PLAIN_SHARE = 0.5
# Shares of captions that name a plain texture, name the background, join two objects by "next to".
_NAMES_PLAIN, _NAMES_BACKGROUND, _NEXT_TO = 0.25, 0.7, 1 / 3
_RANDOM_INK = 0.7  # share of the unnamed objects that have a second random color
_COLORS = np.array(list(vocabulary.COLORS.values()), np.float32)
_BACKGROUNDS = np.array(list(vocabulary.BACKGROUNDS.values()), np.float32)
_LUMINANCE = np.array(LUMA, np.float32)


@dataclass(frozen=True)
class CaptionedImages:
    """Images uint8 (N, size, size, 3) and N captions."""

    images: np.ndarray
    captions: list[str]


@dataclass(frozen=True)
class TestSet:
    """Images of one object each, with its class and texture.

    Attributes:
        images: uint8 (N, size, size, 3).
        classes: int (N,), indices into `vocabulary.CLASSES`.
        textures: int (N,), indices into `vocabulary.TEXTURES`.
    """

    images: np.ndarray
    classes: np.ndarray
    textures: np.ndarray


def training(count: int, size: int, seed: int) -> CaptionedImages:
    """Render `count` images of random scenes, without the pairs `vocabulary.HELD_OUT`."""
    images, captions = [], []
    for block in range(-(-count // BLOCK)):
        scene = _Scene(rng.numpy_rng(seed, "shapes", "train", block))
        images.append(render(scene.backgrounds, scene.objects, size))
        captions += scene.captions
    return CaptionedImages(np.concatenate(images)[:count], captions[:count])


def test_set(split: str, per_class: int, size: int, seed: int) -> TestSet:
    """Render `per_class` images of each of `vocabulary.CLASSES`, class by class.

    `split` names the random stream.
    """
    stream = rng.numpy_rng(seed, "shapes", "test set", split)
    classes = np.repeat(np.arange(len(vocabulary.CLASSES)), per_class)
    colors, shapes = np.divmod(classes, len(vocabulary.SHAPES))  # classes are sorted by color
    n = len(classes)
    textures = _textures(stream, n)
    backgrounds = _backgrounds(stream, stream.integers(len(_BACKGROUNDS), size=n))
    fill = _jittered(stream, _COLORS[colors], 0.04)
    objects = _alone(stream, np.arange(n), _kinds(shapes), textures, fill, _inks(fill))
    return TestSet(render(backgrounds, objects, size), classes, textures)


class _Scene:
    """A block of scenes; all random values are drawn for the whole block, whether used or not."""

    def __init__(self, stream: np.random.Generator) -> None:
        n = BLOCK
        u = stream.random(n)
        self.double = (u >= SINGLE) & (u < SINGLE + DOUBLE)
        self.unnamed = u >= SINGLE + DOUBLE
        self.background = stream.integers(len(_BACKGROUNDS), size=n)
        self.backgrounds = _backgrounds(stream, self.background)
        allowed = np.argwhere(~vocabulary.is_held_out())
        pairs = allowed[stream.integers(len(allowed), size=(2, n))]
        self.color, self.shape = pairs[..., 0], pairs[..., 1]  # (2, n)
        self.texture = np.stack([_textures(stream, n), _textures(stream, n)])
        self.objects = self._objects(stream)
        self.captions = self._captions(stream)

    def _objects(self, stream: np.random.Generator) -> Objects:
        n = BLOCK
        kinds, fills = _kinds(self.shape), _jittered(stream, _COLORS[self.color], 0.04)
        inks = _inks(fills)
        # Two thirds of the unnamed objects have an unnamed shape; all have a random color.
        unnamed_kinds = np.array([KINDS.index(name) for name in vocabulary.UNNAMED_SHAPES])
        has_unnamed_shape = self.unnamed & (stream.random(n) < 2 / 3)
        kinds[0] = np.where(
            has_unnamed_shape, unnamed_kinds[stream.integers(len(unnamed_kinds), size=n)], kinds[0]
        )
        any_fill, any_ink = stream.random((2, n, 3), dtype=np.float32)
        fills[0] = np.where(self.unnamed[:, None], any_fill, fills[0])
        has_random_ink = self.unnamed & (stream.random(n) < _RANDOM_INK)
        inks[0] = np.where(has_random_ink[:, None], any_ink, _inks(fills[0]))
        every_scene, pairs = np.arange(n), np.flatnonzero(self.double)
        alone = _alone(stream, every_scene, kinds[0], self.texture[0], fills[0], inks[0])[
            ~self.double
        ]
        sides = [
            _beside(stream, pairs, side, kinds[k][pairs], self.texture[k][pairs], fills[k][pairs],
                    inks[k][pairs])
            for k, side in enumerate((-0.5, 0.5))
        ]  # fmt: skip
        names = vars(alone)
        return Objects(
            **{name: np.concatenate([vars(o)[name] for o in (alone, *sides)]) for name in names}
        )

    def _captions(self, stream: np.random.Generator) -> list[str]:
        n = BLOCK
        prefix = stream.choice(len(vocabulary.PREFIXES), size=n, p=vocabulary.PREFIX_SHARES)
        names_background = stream.random(n) < _NAMES_BACKGROUND
        names_plain = stream.random((2, n)) < _NAMES_PLAIN
        next_to = stream.random(n) < _NEXT_TO
        noun = stream.integers(len(vocabulary.NOUNS), size=n)
        colors, backgrounds = tuple(vocabulary.COLORS), tuple(vocabulary.BACKGROUNDS)
        captions = []
        for i in range(n):
            things = []
            for k in range(2 if self.double[i] else 1):
                names_texture = self.texture[k, i] != PLAIN or names_plain[k, i]
                texture = [vocabulary.TEXTURES[self.texture[k, i]]] if names_texture else []
                words = [*texture, colors[self.color[k, i]], vocabulary.SHAPES[self.shape[k, i]]]
                thing = vocabulary.NOUNS[noun[i]] if self.unnamed[i] else " ".join(words)
                things.append(vocabulary.with_article(thing))
            text = (" next to " if next_to[i] else " and ").join(things)
            if names_background[i]:
                text += f" on a {backgrounds[self.background[i]]} background"
            captions.append(f"{vocabulary.PREFIXES[prefix[i]]} {text}".strip())
        return captions


def _kinds(shapes: np.ndarray) -> np.ndarray:
    """Indices into KINDS from indices into `vocabulary.SHAPES`."""
    return np.array([KINDS.index(name) for name in vocabulary.SHAPES])[shapes]


def _textures(stream: np.random.Generator, n: int) -> np.ndarray:
    patterned = stream.random(n) >= _PLAIN_SHARE
    return np.where(patterned, stream.integers(1, len(vocabulary.TEXTURES), size=n), PLAIN)


def _jittered(stream: np.random.Generator, colors: np.ndarray, sigma: float) -> np.ndarray:
    noise = stream.standard_normal(colors.shape, dtype=np.float32)
    return (colors + np.float32(sigma) * noise).clip(0, 1)


def _backgrounds(stream: np.random.Generator, which: np.ndarray) -> np.ndarray:
    return _jittered(stream, _BACKGROUNDS[which], 0.03)


def _inks(fill: np.ndarray) -> np.ndarray:
    """A darker color for the pattern of a light object, a lighter color for that of a dark one."""
    light = (fill @ _LUMINANCE > 0.5)[..., None]
    return np.where(light, fill * 0.4, fill * 0.35 + 0.65).astype(np.float32)


def _alone(
    stream: np.random.Generator,
    image_index: np.ndarray,
    kind: np.ndarray,
    texture: np.ndarray,
    fill: np.ndarray,
    ink: np.ndarray,
) -> Objects:
    n = len(image_index)
    return Objects(
        image_index, kind,
        position=stream.uniform(-0.2, 0.2, (n, 2)), radius=stream.uniform(0.50, 0.72, n),
        angle=stream.uniform(-0.2, 0.2, n), texture=texture, fill=fill, ink=ink,
    )  # fmt: skip


def _beside(
    stream: np.random.Generator,
    image_index: np.ndarray,
    side: float,
    kind: np.ndarray,
    texture: np.ndarray,
    fill: np.ndarray,
    ink: np.ndarray,
) -> Objects:
    """The left or the right object of two."""
    n = len(image_index)
    position = np.stack([side + stream.uniform(-0.05, 0.05, n), stream.uniform(-0.25, 0.25, n)], 1)
    return Objects(
        image_index, kind, position=position, radius=stream.uniform(0.36, 0.44, n),
        angle=stream.uniform(-0.2, 0.2, n), texture=texture, fill=fill, ink=ink,
    )  # fmt: skip

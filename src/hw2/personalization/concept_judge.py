"""Which concepts does an image show? A classifier that has seen renderings only.

It is trained on renderings of the synthetic concepts, alone and beside other objects, and of many
distractors: random composite objects, objects that share the outline or the colors of a concept,
other styles, and styles that share the tones or the pattern of a concept. Renderings are augmented
in training (`judge_augmentation`), because a concept is the same in another place or phase. The
classifier shares neither weights nor images with Stable Diffusion and CLIP, and never sees a
generated image.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hw2 import rng
from hw2.models.shape_classifier import ConceptJudge
from hw2.personalization.judge_augmentation import augmented
from hw2.personalization.synthetic import ENGRAVING, KEYS, OBJECTS, STYLES, images_in_style
from hw2.pixels import from_uint8
from hw2.shapes import render, scenes, styles, vocabulary
from hw2.shapes.records import concatenated, selected
from hw2.shapes.render import Looks
from hw2.training.classifier import train_classifier

_EPOCHS = 8
_PEAK_LR = 4e-3
_PREDICT_BATCH = 250
_OBJECT_KEYS = tuple(OBJECTS)
# Shares of what stands at a place of a scene.
_CONCEPT, _SAME_OUTLINE, _SAME_COLORS = 0.45, 0.12, 0.12  # the others are random objects
_DOUBLE, _STYLED = 0.5, 0.4  # shares of scenes with two objects, and in a style
_THE_STYLE, _SAME_TONES, _SAME_PATTERN = 0.5, 0.15, 0.15  # of styled scenes; others are random


@dataclass(frozen=True)
class Renderings:
    """Images uint8 (N, S, S, 3), and which of `KEYS` each shows: bool (N, concepts)."""

    images: np.ndarray
    shown: np.ndarray


def renderings(split: str, count: int, size: int, seed: int) -> Renderings:
    """Draw labeled scenes; `split` names the random stream."""
    stream = rng.numpy_rng(seed, "concept judge", split)
    double = stream.random(count) < _DOUBLE
    rows = np.flatnonzero(double)
    places = [_objects(stream, count) for _ in range(2)]
    first = scenes.beside(stream, np.arange(count), -0.5, np.zeros(count, bool))
    second = scenes.beside(stream, np.arange(count), 0.5, np.zeros(count, bool))
    placement = selected(double, first, scenes.centered(stream, np.arange(count)))
    images, _ = render.render(
        _grounds(stream, count),
        concatenated([places[0][0], places[1][0][rows]]),
        concatenated([placement, second[rows]]),
        size,
    )
    shown = np.zeros((count, len(KEYS)), bool)
    for column, key in enumerate(KEYS):
        if key in OBJECTS:
            index = _OBJECT_KEYS.index(key)
            shown[:, column] = (places[0][1] == index) | (double & (places[1][1] == index))
    shown[:, KEYS.index(ENGRAVING)] = _apply_styles(stream, images)
    return Renderings(render.to_uint8(images), shown)


def photographs(keys: Sequence[str], count: int, size: int, seed: int) -> np.ndarray:
    """Held-out photographs uint8 (count, size, size, 3) that show all these concepts.

    An object is alone, two objects stand side by side, the first of them on the left, and a style
    is that of the object. A style without an object is shown on plain shapes.
    """
    stream = rng.numpy_rng(seed, "concept judge", "photographs", *keys)
    objects = [OBJECTS[key] for key in keys if key in OBJECTS]
    applied = [STYLES[key] for key in keys if key in STYLES]
    if not objects:
        shapes = stream.integers(len(vocabulary.SHAPES), size=count)
        return images_in_style(stream, applied[0], shapes, size)
    rows = np.arange(count)
    placements = (
        [scenes.centered(stream, rows)]
        if len(objects) == 1
        else [scenes.beside(stream, rows, side, np.zeros(count, bool)) for side in (-0.5, 0.5)]
    )
    looks = [scenes.varied(stream, item[np.zeros(count, int)]) for item in objects]
    images, _ = render.render(
        _grounds(stream, count), concatenated(looks), concatenated(placements), size
    )
    for style in applied:
        images = styles.apply(style[np.zeros(count, int)], images)
    return render.to_uint8(images)


def train_judge(count: int, size: int, seed: int) -> ConceptJudge:
    """Train the classifier on `count` renderings of `size` pixels."""
    training = renderings("train", count, size, seed)
    shown = torch.from_numpy(training.shown.astype(np.float32))
    stream = rng.torch_rng(seed, "concept judge", "augmentation")
    with rng.seeded_init(seed, "concept judge"):
        judge = ConceptJudge(len(KEYS))

        def loss(rows: Any) -> Tensor:
            logits = judge(augmented(from_uint8(training.images[rows]), stream))
            return F.binary_cross_entropy_with_logits(logits, shown[rows])

        return train_classifier(
            judge, loss, count, epochs=_EPOCHS, peak_lr=_PEAK_LR, seed=seed,
            desc="concept classifier",
        )  # fmt: skip


@torch.no_grad()
def shown_in(judge: ConceptJudge, images: np.ndarray) -> np.ndarray:
    """Which of `KEYS` the images uint8 (N, S, S, 3) show: bool (N, concepts)."""
    parts = [
        judge(from_uint8(images[start : start + _PREDICT_BATCH])) > 0
        for start in range(0, len(images), _PREDICT_BATCH)
    ]
    return torch.cat(parts).numpy()


def _grounds(stream: np.random.Generator, count: int) -> np.ndarray:
    colors = np.array(list(vocabulary.BACKGROUNDS.values()), np.float32)
    return scenes.jittered(stream, colors[stream.integers(len(colors), size=count)], 0.03)


def _objects(stream: np.random.Generator, count: int) -> tuple[Looks, np.ndarray]:
    """Objects, and the index of each in `_OBJECT_KEYS`, or -1 for a distractor."""
    index = stream.integers(len(OBJECTS), size=count)
    concepts = concatenated(list(OBJECTS.values()))[index]
    others = vocabulary.random_looks(stream, count)
    swapped = concatenated(list(OBJECTS.values()))[(index + 1) % len(OBJECTS)]
    others = selected(stream.random(count) < 0.2, swapped, others)
    same_outline = replace(others, outline=concepts.outline)
    same_colors = replace(
        concepts, outline=others.outline, core=others.core, texture=others.texture
    )
    u = stream.random(count)
    bounds = np.cumsum((_CONCEPT, _SAME_OUTLINE, _SAME_COLORS))
    looks = selected(u < bounds[2], same_colors, vocabulary.random_looks(stream, count))
    looks = selected(u < bounds[1], same_outline, looks)
    looks = selected(u < bounds[0], concepts, looks)
    return scenes.varied(stream, looks), np.where(u < bounds[0], index, -1)


def _apply_styles(stream: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Apply styles to some images, in place; returns which are in the concept's: bool (N,)."""
    count = len(images)
    drawn = styles.random_styles(stream, count)
    concept = STYLES[ENGRAVING][np.zeros(count, int)]
    tones = ("dark", "light", "tone")
    same_tones = replace(drawn, **{name: getattr(concept, name) for name in tones})
    same_pattern = replace(concept, **{name: getattr(drawn, name) for name in tones})
    u = stream.random(count)
    bounds = np.cumsum((_THE_STYLE, _SAME_TONES, _SAME_PATTERN))
    style = selected(u < bounds[2], same_pattern, drawn)
    style = selected(u < bounds[1], same_tones, style)
    style = selected(u < bounds[0], concept, style)
    styled = np.flatnonzero(stream.random(count) < _STYLED)
    images[styled] = styles.apply(style[styled], images[styled])
    result = np.zeros(count, bool)
    result[styled] = u[styled] < bounds[0]
    return result

"""Synthetic concepts that no training image shows, and the prompts for them.

They are two composite objects and a style, of the same kinds as the nouns and styles of captions
(`hw2.shapes.vocabulary`) but none of them. Their folder has the course's layout, `{key}/NN.png` and
`input.json`, and masks of the concepts as `masks/{key}/NN.png`.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hw2 import rng
from hw2.io.images import LUMA
from hw2.shapes import render, scenes, styles, vocabulary
from hw2.shapes.outlines import POLAR, Outlines
from hw2.shapes.render import Looks
from hw2.shapes.styles import Styles

INPUT, MASKS = "input.json", "masks"
FLOWER, ENGRAVING, SHIELD = "0", "1", "2"
KEYS = (FLOWER, ENGRAVING, SHIELD)
_STYLE_SHAPES = ("circle", "square", "heart", "diamond", "triangle")  # shown in the style, in turn
# Without a period, unlike the course's: no caption of `hw2.shapes.scenes` has one, and the model
# draws a second object for it.
_EDITS = ("a photo of {} on a pink background", "a picture of {} on a cyan background")
_DRAWINGS = ("a photo of a star{}", "a picture of a cross{}")
INPUTS: dict[str, Any] = {
    FLOWER: {
        "src_image": "object",
        "token_name": "<new1>",
        "prompt": [text.format("a <new1>") for text in _EDITS],
        "prompt_4_clip_eval": [text.format("an object") for text in _EDITS],
        "baseline": None,
    },
    ENGRAVING: {
        "src_image": "engraving",
        "token_name": "<new2>",
        "prompt": [text.format(" in the style of <new2>") for text in _DRAWINGS],
        "prompt_4_clip_eval": [text.format("") for text in _DRAWINGS],
        "baseline": None,
    },
}
"""The content of input.json for the synthetic concepts; training sets the baselines
(`prompt_specs.completed`)."""


def _looks(
    outline: dict[str, float],
    fill: tuple[float, float, float],
    texture: tuple[int, tuple[float, float, float], float],
    *,
    core: tuple[float, tuple[float, float, float]] = (0.0, (0, 0, 0)),
    rim: tuple[float, tuple[float, float, float]] = (0.0, (0, 0, 0)),
) -> Looks:
    """The looks of a single object; `texture` is its kind, color and period."""
    shape = {"family": POLAR, "aspect": 1.0, "hole": 0.0, "bite": 0.0, "bend": 0.0} | outline

    def color(rgb: tuple[float, float, float]) -> np.ndarray:
        return np.array([rgb], np.float32)

    return Looks(
        outline=Outlines(**{name: np.array([value]) for name, value in shape.items()}),
        fill=color(fill),
        texture=np.array([texture[0]]), texture_color=color(texture[1]),
        period=np.array([texture[2]]), texture_angle=np.array([np.pi / 4]),
        core=np.array([core[0]]), core_color=color(core[1]),
        rim=np.array([rim[0]]), rim_color=color(rim[1]),
        shading=np.zeros(1),
    )  # fmt: skip


OBJECTS = {
    FLOWER: _looks(
        {"lobes": 7, "notch": 0.62, "roundness": 1.0},
        (0.05, 0.60, 0.58),
        (render.PLAIN, (0, 0, 0), 0.6),
        core=(0.36, (0.98, 0.85, 0.20)),
        rim=(0.13, (0.96, 0.95, 0.88)),
    ),
    SHIELD: _looks(
        {"lobes": 3, "notch": 0.60, "roundness": 0.7, "aspect": 0.9},
        (0.93, 0.25, 0.55),
        (render.STRIPED, (0.25, 0.05, 0.32), 0.62),
        rim=(0.12, (0.25, 0.05, 0.32)),
    ),
}
"""The objects by key."""
STYLES = {
    ENGRAVING: Styles(
        dark=np.array([[0.20, 0.10, 0.05]], np.float32),
        light=np.array([[0.98, 0.90, 0.72]], np.float32),
        tone=np.array([0.85], np.float32),
        pattern=np.array([styles.HATCHED]),
        angle=np.array([np.pi / 4]), period=np.array([6.5]), strength=np.array([0.5]),
        pattern_color=np.array([[0.28, 0.15, 0.08]], np.float32),
        frame=np.zeros(1), frame_color=np.zeros((1, 3), np.float32),
    )
}  # fmt: skip
"""The styles by key."""


def write(folder: Path, count: int, size: int, seed: int) -> None:
    """Write `count` images of each concept, their masks and the prompts into `folder`."""
    for key in KEYS:
        images, masks = references(key, count, size, seed)
        for name, arrays in ((key, images), (f"{MASKS}/{key}", masks)):
            (folder / name).mkdir(parents=True)
            for number, array in enumerate(arrays):
                Image.fromarray(array).save(folder / name / f"{number:02d}.png")
    (folder / INPUT).write_text(json.dumps(INPUTS, indent=2) + "\n", encoding="utf-8")


def references(key: str, count: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (count, size, size, 3) of a concept, and its masks.

    The masks are uint8 (count, size, size), 255 where the concept is and 0 elsewhere.
    """
    stream = rng.numpy_rng(seed, "concepts", key)
    if key in STYLES:
        shapes = [tuple(vocabulary.SHAPES).index(name) for name in _STYLE_SHAPES]
        shape = np.array(shapes)[np.arange(count) % len(shapes)]
        images = images_in_style(stream, STYLES[key], shape, size)
        return images, np.full(images.shape[:3], 255, np.uint8)
    images, covered = images_of_object(stream, OBJECTS[key], count, size)
    return images, np.where(covered > 0.5, 255, 0).astype(np.uint8)


def images_of_object(
    stream: np.random.Generator, looks: Looks, count: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Photographs of an object alone: images uint8 (count, size, size, 3) and its coverage.

    Backgrounds take turns. The coverage is float32 (count, size, size) in [0, 1].
    """
    repeated = scenes.varied(stream, looks[np.zeros(count, int)])
    images, covered = render.render(
        _backgrounds(stream, count), repeated, scenes.centered(stream, np.arange(count)), size
    )
    return render.to_uint8(images), covered


def images_in_style(
    stream: np.random.Generator, style: Styles, shape: np.ndarray, size: int
) -> np.ndarray:
    """Images uint8 (N, size, size, 3) of plain shapes in a style.

    Args:
        stream: Random stream of colors and positions.
        style: A single style.
        shape: int (N,), indices into `vocabulary.SHAPES`.
        size: Height and width.
    """
    count = len(shape)
    backgrounds = _backgrounds(stream, count)
    fill = _legible(backgrounds)
    looks = vocabulary.named_looks(shape, fill, np.full(count, render.PLAIN), fill)
    placement = scenes.centered(stream, np.arange(count))
    upright = replace(placement, angle=placement.angle + vocabulary.upright(shape))
    images, _ = render.render(backgrounds, looks, upright, size)
    return render.to_uint8(styles.apply(style[np.zeros(count, int)], images))


def _legible(backgrounds: np.ndarray) -> np.ndarray:
    """The named color whose gray value differs most from each background: float32 (N, 3)."""
    colors = np.array(list(vocabulary.COLORS.values()), np.float32)
    luma = np.array(LUMA, np.float32)
    apart = np.abs((colors @ luma)[None] - (backgrounds @ luma)[:, None])
    return colors[apart.argmax(1)]


def _backgrounds(stream: np.random.Generator, count: int) -> np.ndarray:
    colors = np.array(list(vocabulary.BACKGROUNDS.values()), np.float32)
    return scenes.jittered(stream, colors[np.arange(count) % len(colors)], 0.03)

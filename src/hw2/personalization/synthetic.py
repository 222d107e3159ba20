"""Synthetic concepts that no training image shows, and the prompts for them.

They are an object with a shape and colors that have no name, a second such object, and a style:
gray hatching over any shape. Their folder has the course's layout, `{key}/NN.png` and `input.json`,
and masks of the concepts as `masks/{key}/NN.png`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hw2 import rng
from hw2.io.images import LUMA
from hw2.shapes import vocabulary
from hw2.shapes.render import DOTTED, KINDS, PLAIN, STRIPED, Objects, render

INPUT, MASKS = "input.json", "masks"
FLOWER, HATCH, MOON = "0", "1", "2"
KEYS = (FLOWER, HATCH, MOON)
_OBJECTS = {  # shape, texture, fill, ink
    FLOWER: ("flower", DOTTED, (0.05, 0.60, 0.58), (0.98, 0.90, 0.30)),
    MOON: ("moon", STRIPED, (0.95, 0.25, 0.60), (0.30, 0.05, 0.30)),
}
_STYLE_KINDS = ("circle", "square", "heart", "diamond", "triangle")  # shown in the style, in turn
_LUMINANCE = np.array(LUMA)
_SEPIA = np.array([0.98, 0.90, 0.74])
_LINES = 3.0  # distance of the hatching's lines, in pixels of an image of 32
_EDITS = ("a photo of {} on a pink background.", "a picture of {} on a cyan background.")
_DRAWINGS = ("a photo of a {}star.", "a picture of a {}cross.")
INPUTS: dict[str, Any] = {
    FLOWER: {
        "src_image": "object",
        "token_name": "<new1>",
        "prompt": [text.format("a <new1>") for text in _EDITS],
        "prompt_4_clip_eval": [text.format("an object") for text in _EDITS],
        "baseline": None,
    },
    HATCH: {
        "src_image": "hatching",
        "token_name": "<new2>",
        "prompt": [text.format("<new2> ") for text in _DRAWINGS],
        "prompt_4_clip_eval": [text.format("") for text in _DRAWINGS],
        "baseline": None,
    },
}
"""The content of input.json for the synthetic concepts; training sets the baselines
(`prompt_specs.completed`)."""


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
    index = np.arange(count)
    backgrounds = np.array(list(vocabulary.BACKGROUNDS.values()), np.float32)[
        index % len(vocabulary.BACKGROUNDS)
    ]
    if key == HATCH:
        colors = _contrasting(backgrounds)
        kinds = [_STYLE_KINDS[k % len(_STYLE_KINDS)] for k in range(count)]
        texture, fill, ink = PLAIN, colors, colors
    else:
        kind, texture, *inks = _OBJECTS[key]
        kinds = [kind] * count
        fill, ink = (np.tile(np.array(c, np.float32), (count, 1)) for c in inks)
    objects = Objects(
        image_index=index, kind=np.array([KINDS.index(k) for k in kinds]),
        position=stream.uniform(-0.15, 0.15, (count, 2)), radius=stream.uniform(0.55, 0.72, count),
        angle=stream.uniform(-0.2, 0.2, count), texture=np.full(count, texture), fill=fill, ink=ink,
    )  # fmt: skip
    images = render(backgrounds, objects, size)
    if key == HATCH:
        return hatched(images), np.full(images.shape[:3], 255, np.uint8)
    black = np.zeros_like(backgrounds)
    white = np.ones_like(fill)
    silhouette = Objects(**(vars(objects) | {"fill": white, "ink": white}))
    covered = render(black, silhouette, size)[..., 0] > 127
    return images, np.where(covered, 255, 0).astype(np.uint8)


def _contrasting(backgrounds: np.ndarray) -> np.ndarray:
    """The named color whose gray value differs most from each background: float32 (N, 3)."""
    colors = np.array(list(vocabulary.COLORS.values()), np.float32)
    contrast = np.abs((colors @ _LUMINANCE)[None] - (backgrounds @ _LUMINANCE)[:, None])
    return colors[contrast.argmax(1)]


def hatched(images: np.ndarray) -> np.ndarray:
    """Images uint8 (N, S, S, 3) as sepia drawings under diagonal lines."""
    size = images.shape[1]
    gray = (images / 255) @ _LUMINANCE
    down, across = np.mgrid[:size, :size] * (32 / size)
    phase = (down + across) / _LINES
    lines = np.abs(phase - np.rint(phase)) < 0.25  # half of each period
    # Light lines: the small CLIP still recognizes the object, so text scores can be kept.
    shade = np.where(lines, 0.65, 1.0) * (0.35 + 0.65 * gray)
    return (shade[..., None] * _SEPIA * 255).round().astype(np.uint8)

"""The images that are graded: 25 of every prompt, sampled, and in the course's folder layout."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hw2.config import params
from hw2.personalization import grading, photos
from hw2.personalization.prompt_specs import PromptSpec
from hw2.stable_diffusion import sample


def draw(
    pipe: Any,
    spec: PromptSpec,
    index: int,
    personalization: params.Personalization,
    *,
    word: str | None = None,
    tick: Callable[[int], object] = lambda images: None,
) -> np.ndarray:
    """Sample the images uint8 (25, S, S, 3) of a prompt.

    An image depends on the seed, the index of its prompt and its own number. With `word`, it
    replaces the token in the prompt; the noises stay the same.
    """
    prompt = spec.prompts[index]
    return sample.sample_prompt(
        pipe,
        prompt if word is None else prompt.replace(spec.token, word),
        range(grading.IMAGES),
        personalization.sampling,
        seed=personalization.seed,
        stream=f"graded {spec.key} {index}",
        tick=tick,
    )


def write(root: Path, key: str, index: int, images: Sequence[np.ndarray] | np.ndarray) -> None:
    """Write the images of a prompt below `root`, in the course's folders and with its names."""
    folder = grading.folder_of(root, key, index)
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / grading.name_of(key, index, number))


def read(root: Path, key: str, index: int) -> np.ndarray:
    """Read the images uint8 (25, S, S, 3) that `write` wrote.

    Raises:
        UserError: if one is missing or damaged.
    """
    folder = grading.folder_of(root, key, index)
    return np.stack(
        [
            photos.pixels(folder / grading.name_of(key, index, number))
            for number in range(grading.IMAGES)
        ]
    )

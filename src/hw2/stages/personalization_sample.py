"""Sample the images that are graded: 25 for every prompt, in the course's folder layout."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from hw2.config import params
from hw2.io.atomic import atomic_dir
from hw2.personalization import grading, prompt_specs, tokens
from hw2.personalization.prompt_specs import PromptSpec
from hw2.runtime.progress import progress
from hw2.stable_diffusion import load, sample

GRADED = "graded"


def run(
    stable_diffusion: params.StableDiffusion,
    personalization: params.Personalization,
    *,
    stable_diffusion_model: Path,
    personalization_embeddings: Path,
    personalization_prompts: Path,
    personalization_images: Path,
    device: torch.device,
) -> int:
    """Write the graded images to `personalization_images`, all of them or none.

    The files are `{key}/{prompt}/source{key}_prompt{prompt}_{0 ... 24}.png`. An image depends on
    the seed, the index of its prompt and its own number, not on how many images are sampled.

    Args:
        personalization_embeddings: Folder of safetensors files with any names; the embedding of a
            concept is identified by its token.
        personalization_prompts: An input.json.

    Returns:
        The number of images.

    Raises:
        UserError: if the prompts are malformed or too long, or name a token that was not learned.
    """
    specs = prompt_specs.read(personalization_prompts)
    rows = tokens.read_folder(personalization_embeddings)
    tokens.check_learned(specs, rows, personalization_prompts)
    pipe = load.load(stable_diffusion, stable_diffusion_model, device)
    sample.use_sampler(pipe, personalization.sampling.sampler)
    for spec in specs:
        tokens.add(pipe, spec.token, rows[spec.token])
        tokens.check_length(pipe, spec, personalization_prompts)
    total = sum(len(spec.prompts) for spec in specs) * grading.IMAGES
    with (
        atomic_dir(personalization_images) as folder,
        progress(total, "graded images", unit="image") as bar,
    ):
        for spec in specs:
            for index in range(len(spec.prompts)):
                images = sample_graded(pipe, spec, index, personalization, tick=bar.update)
                _write(folder, spec.key, index, images)
    return total


def sample_graded(
    pipe: Any, spec: PromptSpec, index: int, personalization: params.Personalization, *,
    word: str | None = None, tick: Any = lambda images: None,
) -> np.ndarray:  # fmt: skip
    """The images uint8 (25, S, S, 3) of a prompt.

    With `word`, it replaces the token in the prompt; the noises stay the same.
    """
    prompt = spec.prompts[index]
    return sample.sample_prompt(
        pipe,
        prompt if word is None else prompt.replace(spec.token, word),
        range(grading.IMAGES),
        personalization.sampling,
        seed=personalization.seed,
        stream=f"{GRADED} {spec.key} {index}",
        tick=tick,
    )


def _write(root: Path, key: str, index: int, images: Sequence[np.ndarray] | np.ndarray) -> None:
    folder = grading.folder_of(root, key, index)
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / grading.name_of(key, index, number))

"""`hw2 grade-personalization`: grade a folder of generated images by the course's rule."""

from pathlib import Path

import torch

from hw2.clip import model as clip_models
from hw2.clip import weights
from hw2.config import params
from hw2.personalization import grading, prompt_specs
from hw2.personalization.clip_scores import Scorer
from hw2.personalization.grading import Case


def run(
    personalization: params.Personalization,
    *,
    clip_model: Path,
    input_file: Path,
    references: Path,
    images: Path,
    device: torch.device,
) -> tuple[Case, ...]:
    """Grade the images of each prompt of `input_file`.

    Args:
        personalization: Section `personalization`.
        clip_model: Folder of the CLIP that this pipeline trains.
        input_file: Prompts in the format of the course's input.json.
        references: Folder with a folder of photographs for each concept.
        images: Folder with 25 images of each prompt, named as the course requires.
        device: Device of the CLIP model.

    Raises:
        UserError: if a file is missing, before any model is loaded.
    """
    prompts = prompt_specs.read(input_file)
    grading.check(prompts, images)
    located = weights.locate(personalization.clip, clip_model)
    return grading.grade(prompts, references, images, Scorer(clip_models.load(located, device)))

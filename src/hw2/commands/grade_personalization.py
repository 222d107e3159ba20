"""Grade a folder of generated images as the course does."""

from pathlib import Path

import torch

from hw2.clip import model as clip_models
from hw2.clip import weights
from hw2.config import params
from hw2.personalization import grading, prompt_specs
from hw2.personalization.clip_scores import Scorer
from hw2.personalization.grading import Case


def run(
    inversion: params.Inversion,
    *,
    clip_model: Path,
    asked: Path,
    references: Path,
    images: Path,
    device: torch.device,
) -> tuple[Case, ...]:
    """The grade of every prompt of the input.json `asked`.

    Args:
        references: folder with the photographs of each key.
        images: folder with 25 images of each prompt, in the course's form.

    Raises:
        UserError: if something is missing; before anything slow is done.
    """
    wanted = prompt_specs.read(asked)
    grading.check(wanted, images)
    located = weights.locate(inversion.clip, clip_model)
    return grading.grade(wanted, references, images, Scorer(clip_models.load(located, device)))

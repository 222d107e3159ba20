"""Captioned images that keep a model from forgetting its prior (Kumari et al., 2023)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hw2.config import params
from hw2.io import files
from hw2.personalization import batches, photos
from hw2.personalization.photos import Concept
from hw2.runtime.errors import UserError
from hw2.shapes import scenes
from hw2.stable_diffusion import sample
from hw2.stable_diffusion.load import image_size
from hw2.stable_diffusion.sample import SampleRequest

CAPTIONS = "captions.json"


@dataclass(frozen=True)
class PriorPreservationImages:
    """Custom Diffusion's regularization images, which preserve the model's prior.

    Attributes:
        images: uint8 (N, S, S, 3).
        captions: N captions like those that the model was trained on.
    """

    images: np.ndarray
    captions: list[str]


def obtain(
    pipe: Any,
    personalization: params.Personalization,
    shapes: params.Shapes,
    concepts: Sequence[Concept],
) -> PriorPreservationImages:
    """Read the images from `prior_preservation_folder`, render them, or let the model draw them.

    Rendered scenes are like those that the small model was trained on. Another model draws the
    classes of the concepts, whose names are the initializers, as in DreamBooth (Ruiz et al., 2023).

    Raises:
        UserError: if the folder does not hold images with captions.
    """
    settings = personalization.multi_concept
    count = settings.prior_preservation_images
    if settings.prior_preservation_folder is not None:
        return _read(Path(settings.prior_preservation_folder), count, image_size(pipe))
    if personalization.wording == "synthetic":
        synthetic = scenes.training(shapes.model_copy(update={"train_images": count}))
        return PriorPreservationImages(synthetic.images, synthetic.captions)
    captions = [
        template.format(concept.spec.initializer)
        for concept in concepts
        for template in batches.sentences(concept, personalization.wording)
    ]
    chosen = [captions[k % len(captions)] for k in range(count)]
    requests = [SampleRequest(text, "prior preservation", k) for k, text in enumerate(chosen)]
    images = sample.sample_requests(
        pipe, requests, personalization.sampling, seed=settings.seeds[0]
    )
    return PriorPreservationImages(images, chosen)


def _read(folder: Path, count: int, size: int) -> PriorPreservationImages:
    captions = files.read_json(folder / CAPTIONS)
    if not isinstance(captions, dict) or len(captions) < 2:
        raise UserError(f'{folder / CAPTIONS}: should be {{"file": "caption", ...}}; correct it')
    names = sorted(captions)[:count]
    images = [photos.squared(photos.pixels(folder / name), size) for name in names]
    return PriorPreservationImages(np.stack(images), [str(captions[name]) for name in names])

"""Textual inversion of one concept (Gal et al., 2022), monitored on validation prompts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hw2 import rng
from hw2.config import params
from hw2.personalization import batches, photos, tokens, train
from hw2.personalization.clip_scores import TEXT_WEIGHT, Scorer
from hw2.personalization.photos import Concept
from hw2.personalization.train import Trace
from hw2.stable_diffusion import sample as drawing
from hw2.stable_diffusion.load import image_size
from hw2.stable_diffusion.sample import SampleRequest
from hw2.training.resume import Resume

_IDENTITY = ("seed", "wording", "train", "sampling", "validation", "validation_images", "clip")
_STRIP = 4  # images of the strip of each validation snapshot


@dataclass(frozen=True)
class Inverted:
    """The result of a concept's training.

    Attributes:
        concept: The concept.
        rows: Embedding of the chosen snapshot, float32 (vectors, width).
        chosen: Step of the chosen snapshot.
        history: Rows of `step` and `loss`.
        trace: All validation snapshots.
    """

    concept: Concept
    rows: Tensor
    chosen: int
    history: list[dict[str, float]]
    trace: Trace


def identity(
    personalization: params.Personalization, spec: params.Concept, model: str
) -> dict[str, Any]:
    """Everything that changes the result of the training, except code.

    `model` is the digest of the pipeline.
    """
    described = personalization.model_dump(
        mode="json", include=set(_IDENTITY), exclude={"train": {"save_every"}}
    )
    return {"personalization": described, "concept": spec.model_dump(mode="json"), "model": model}


def invert(
    pipe: Any,
    concept: Concept,
    personalization: params.Personalization,
    scorer: Scorer,
    resume: Resume,
) -> Inverted:
    """Learn a concept's embedding.

    The snapshot with the highest image + 2.5 text score on the validation prompts is chosen. The
    graded prompts are not used.
    """
    spec, settings = concept.spec, personalization.train
    size = image_size(pipe)
    added = tokens.add(pipe, spec.token, tokens.initial(pipe, spec.initializer, spec.vectors))
    seed = rng.derive(personalization.seed, spec.key)
    batch_function = batches.single(
        concept, added, size=size, batch=settings.batch_size, seed=seed,
        wording=personalization.wording, augment=settings.augment,
    )  # fmt: skip
    _, history, trace = train.fit(
        pipe,
        (added,),
        batch_function,
        settings,
        steps=settings.steps,
        lr=settings.lr,
        seed=seed,
        resume=resume,
        snapshot=_look(pipe, concept, personalization, scorer, seed),
        validate_every=settings.validate_every,
        desc=f"textual inversion of {spec.token}",
    )
    total = [i + TEXT_WEIGHT * t for i, t in zip(trace.image, trace.text, strict=True)]
    best = int(np.argmax(total))
    tokens.put(pipe, added, trace.rows[best])
    return Inverted(concept, trace.rows[best], trace.steps[best], history, trace)


def _look(
    pipe: Any, concept: Concept, personalization: params.Personalization, scorer: Scorer, seed: int
) -> Callable[[int, Trace], None]:
    """A function that samples the validation prompts, from the same noises, and scores them."""
    spec = concept.spec
    references = scorer.features(concept.images)
    by_kind = {
        "object": personalization.validation.object,
        "style": personalization.validation.style,
    }
    prompts = by_kind[spec.kind]

    count = personalization.validation_images
    requests = [
        SampleRequest(prompt.format(spec.token), f"validation {position}", number)
        for position, prompt in enumerate(prompts)
        for number in range(count)
    ]

    def snapshot(step: int, trace: Trace) -> None:
        drawn = drawing.draw_all(pipe, requests, personalization.sampling, seed=seed)
        by_prompt = drawn.reshape(len(prompts), count, *drawn.shape[1:])
        image, text = [], []
        for prompt, images in zip(prompts, by_prompt, strict=True):
            scores = scorer.both(list(images), references, without(spec, prompt))
            image.append(scores[0].mean())
            text.append(scores[1].mean())
        trace.image.append(float(np.mean(image)))
        trace.text.append(float(np.mean(text)))
        strip = [photos.squared(x, min(256, x.shape[0])) for x in by_prompt[0][:_STRIP]]
        trace.strips.append(torch.from_numpy(np.stack(strip)))

    return snapshot


def without(spec: params.Concept, prompt: str) -> str:
    """The text of the text score: an object by its initializer, a style without its name."""
    if spec.kind == "object":
        return prompt.format(spec.initializer)
    return " ".join(prompt.replace("in the style of {}", "").replace("{}", "").split())

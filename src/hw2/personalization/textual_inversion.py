"""Textual inversion of one concept (Gal et al., 2022), monitored on validation prompts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hw2 import rng
from hw2.config import params
from hw2.personalization import batches, photos, tokens, train
from hw2.personalization.clip_scores import Scorer
from hw2.personalization.photos import Concept
from hw2.personalization.prompt_specs import TEXT_KEPT
from hw2.personalization.train import SnapshotFunction, Snapshots
from hw2.stable_diffusion import sample
from hw2.stable_diffusion.load import image_size
from hw2.stable_diffusion.sample import SampleRequest
from hw2.training.resume import Resume

_IDENTITY = ("seed", "wording", "train", "sampling", "validation", "validation_images", "clip")
log = logging.getLogger(__name__)
_STRIP_IMAGES = 4  # of each validation snapshot, for the figure


@dataclass(frozen=True)
class InversionResult:
    """The result of a concept's textual inversion.

    Attributes:
        concept: The concept.
        rows: Embedding of the chosen snapshot, float32 (vectors, width).
        chosen: Step of the chosen snapshot.
        history: Rows of `step` and `loss`.
        snapshots: All validation snapshots.
    """

    concept: Concept
    rows: Tensor
    chosen: int
    history: list[dict[str, float]]
    snapshots: Snapshots


def identity(
    personalization: params.Personalization, spec: params.Concept, model: str
) -> dict[str, Any]:
    """Everything that changes the result of the training, except code.

    `model` is the digest of the pipeline.
    """
    settings = personalization.model_dump(
        mode="json", include=set(_IDENTITY), exclude={"train": {"save_every"}}
    )
    return {"personalization": settings, "concept": spec.model_dump(mode="json"), "model": model}


def invert(
    pipe: Any,
    concept: Concept,
    personalization: params.Personalization,
    scorer: Scorer,
    resume: Resume,
) -> InversionResult:
    """Learn a concept's embedding.

    The snapshot that `choose` prefers on the validation prompts is taken. The graded prompts are
    not used.
    """
    spec, settings = concept.spec, personalization.train
    size = image_size(pipe)
    initial = tokens.initial_embedding(pipe, spec.initializer, spec.vectors)
    added = tokens.add(pipe, spec.token, initial)
    seed = rng.derive(personalization.seed, spec.key)
    batch_function = batches.single(
        concept, added, size=size, batch_size=settings.batch_size, seed=seed,
        wording=personalization.wording, augment=settings.augment,
    )  # fmt: skip
    _, history, snapshots = train.train_embeddings(
        pipe,
        (added,),
        batch_function,
        settings,
        steps=settings.steps,
        lr=settings.lr,
        seed=seed,
        resume=resume,
        snapshot=_snapshot_function(pipe, concept, personalization, scorer, seed),
        validate_every=settings.validate_every,
        desc=f"textual inversion of {spec.token}",
    )
    best = choose(snapshots.image, snapshots.text)
    if snapshots.steps[best] == 0:
        log.warning(
            "%s: no snapshot is above its initializer %r; more steps or another"
            " personalization.train.lr may help",
            spec.token,
            spec.initializer,
        )
    tokens.set_embedding(pipe, added, snapshots.rows[best])
    return InversionResult(concept, snapshots.rows[best], snapshots.steps[best], history, snapshots)


def choose(image: Sequence[float], text: Sequence[float]) -> int:
    """The index of the snapshot with the best image score among those that keep the prompt.

    The first snapshot is the initializer. The prompt is kept if the text score is at least
    `TEXT_KEPT` of the initializer's, as the baselines of the grading require. Beyond that a higher
    text score is no merit: it favors early snapshots, which show less of the concept. If no
    snapshot keeps the prompt, the one with the best text score is taken.

    Args:
        image: Mean image score of each snapshot on the validation prompts.
        text: Mean text score of each.
    """
    kept = np.flatnonzero(np.array(text) >= TEXT_KEPT * text[0])
    return int(kept[np.array(image)[kept].argmax()] if len(kept) else np.argmax(text))


def _snapshot_function(
    pipe: Any, concept: Concept, personalization: params.Personalization, scorer: Scorer, seed: int
) -> SnapshotFunction:
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

    def snapshot(step: int, snapshots: Snapshots) -> None:
        sampled = sample.sample_requests(pipe, requests, personalization.sampling, seed=seed)
        by_prompt = sampled.reshape(len(prompts), count, *sampled.shape[1:])
        image, text = [], []
        for prompt, images in zip(prompts, by_prompt, strict=True):
            scores = scorer.image_and_text(list(images), references, eval_prompt(spec, prompt))
            image.append(scores[0].mean())
            text.append(scores[1].mean())
        snapshots.image.append(float(np.mean(image)))
        snapshots.text.append(float(np.mean(text)))
        strip = [photos.squared(x, min(256, x.shape[0])) for x in by_prompt[0][:_STRIP_IMAGES]]
        snapshots.strips.append(torch.from_numpy(np.stack(strip)))

    return snapshot


def eval_prompt(spec: params.Concept, prompt: str) -> str:
    """The text of the text score: an object by its initializer, a style without its name."""
    if spec.kind == "object":
        return prompt.format(spec.initializer)
    return " ".join(prompt.replace("in the style of {}", "").replace("{}", "").split())

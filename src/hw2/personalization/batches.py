"""Training batches of personalization: squares of photographs and sentences with tokens."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hw2 import rng
from hw2.personalization import photos, templates
from hw2.personalization.photos import Concept
from hw2.personalization.tokens import AddedToken
from hw2.pixels import from_uint8

BatchFunction = Callable[[int], tuple[Tensor, list[str]]]
"""A step to images float32 (N, 3, S, S) in [-1, 1] and N sentences."""


def to_tensor(images: list[np.ndarray]) -> Tensor:
    """Squares uint8 (S, S, 3) to float32 (N, 3, S, S) in [-1, 1], as the VAE expects."""
    return from_uint8(np.stack(images)).contiguous()


def single(
    concept: Concept,
    added: AddedToken,
    *,
    size: int,
    batch_size: int,
    seed: int,
    wording: str,
    augment: bool,
) -> BatchFunction:
    """Batches of one concept: random photographs and random sentences.

    The photographs are cropped and mirrored at random if `augment`.
    """
    templates_of_concept = sentences(concept, wording)

    def make_batch(step: int) -> tuple[Tensor, list[str]]:
        stream = rng.numpy_rng(seed, "batch", concept.spec.key, step)
        images = [
            photos.squared(
                concept.images[stream.integers(len(concept.images))],
                size,
                stream if augment else None,
            )
            for _ in range(batch_size)
        ]
        chosen = [
            templates_of_concept[stream.integers(len(templates_of_concept))]
            for _ in range(batch_size)
        ]
        return to_tensor(images), [template.format(added.words) for template in chosen]

    return make_batch


def joint(
    concepts: Sequence[Concept],
    added: Sequence[AddedToken],
    *,
    size: int,
    batch_size: int,
    seed: int,
    wording: str,
    augment: bool,
) -> BatchFunction:
    """Batches of two concepts: a quarter of a batch for each alone, half for composites of both.

    With images of single concepts only, the frozen network and the separate embeddings would make
    joint training equal to two separate ones. Composites, with either concept on the left, show
    both in one image.

    A style cannot stand beside an object, so with one there are no composites: half of a batch is
    single photographs of the object and half of the style.
    """
    has_style = any(concept.spec.kind == "style" for concept in concepts)
    alone = [
        single(
            concept,
            token,
            size=size,
            batch_size=max(1, batch_size // (2 if has_style else 4)),
            seed=seed,
            wording=wording,
            augment=augment,
        )
        for concept, token in zip(concepts, added, strict=True)
    ]
    if has_style:
        return concatenated(*alone)
    pair_templates = templates.for_pair(wording)

    def make_batch(step: int) -> tuple[Tensor, list[str]]:
        stream = rng.numpy_rng(seed, "composites", step)
        singles = [batch_function(step) for batch_function in alone]
        images, texts = [], []
        for _ in range(max(1, batch_size - sum(len(batch[1]) for batch in singles))):
            order = (0, 1) if stream.random() < 0.5 else (1, 0)
            left, right = (concepts[k] for k in order)
            chosen = tuple(int(stream.integers(len(c.images))) for c in (left, right))
            images.append(photos.composite(left, right, (chosen[0], chosen[1]), size))
            template = pair_templates[stream.integers(len(pair_templates))]
            texts.append(template.format(*(added[k].words for k in order)))
        single_texts = [text for batch in singles for text in batch[1]]
        return (
            torch.cat([*(batch[0] for batch in singles), to_tensor(images)]),
            [*single_texts, *texts],
        )

    return make_batch


def concatenated(first: BatchFunction, second: BatchFunction) -> BatchFunction:
    """Batches that join those of two batch functions."""

    def make_batch(step: int) -> tuple[Tensor, list[str]]:
        (first_images, first_texts), (second_images, second_texts) = first(step), second(step)
        return torch.cat([first_images, second_images]), [*first_texts, *second_texts]

    return make_batch


def prior_preservation(
    images: np.ndarray, captions: Sequence[str], *, batch_size: int, seed: int
) -> BatchFunction:
    """Batches of captioned images uint8 (N, S, S, 3) that preserve the model's prior."""

    def make_batch(step: int) -> tuple[Tensor, list[str]]:
        rows: Any = rng.numpy_rng(seed, "prior preservation", step).integers(
            len(images), size=batch_size
        )
        return to_tensor(list(images[rows])), [captions[k] for k in rows]

    return make_batch


def sentences(concept: Concept, wording: str) -> tuple[str, ...]:
    """The sentences that a concept is learned in."""
    return templates.for_kind(concept.spec.kind, wording)

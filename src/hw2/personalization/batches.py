"""Training batches of personalization: squares of photographs and sentences with tokens."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hw2 import rng
from hw2.personalization import photos, templates
from hw2.personalization.photos import Concept
from hw2.personalization.tokens import Added
from hw2.pixels import from_uint8

BatchFunction = Callable[[int], tuple[Tensor, list[str]]]
"""A step to pictures float32 (N, 3, S, S) in [-1, 1] and N sentences."""


def tensor(images: list[np.ndarray]) -> Tensor:
    """Squares uint8 (S, S, 3) to float32 (N, 3, S, S) in [-1, 1], as the VAE expects."""
    return from_uint8(np.stack(images)).contiguous()


def single(
    concept: Concept, added: Added, *, size: int, batch: int, seed: int, wording: str, augment: bool
) -> BatchFunction:
    """Batches of one concept: random photographs and random sentences.

    The photographs are cropped and mirrored at random if `augment`.
    """
    said_in = sentences(concept, wording)

    def draw(step: int) -> tuple[Tensor, list[str]]:
        stream = rng.numpy_rng(seed, "lesson", concept.spec.key, step)
        images = [
            photos.squared(
                concept.images[stream.integers(len(concept.images))],
                size,
                stream if augment else None,
            )
            for _ in range(batch)
        ]
        answer = [said_in[stream.integers(len(said_in))] for _ in range(batch)]
        return tensor(images), [text.format(added.words) for text in answer]

    return draw


def joint(
    concepts: Sequence[Concept],
    every: Sequence[Added],
    *,
    size: int,
    batch: int,
    seed: int,
    wording: str,
    augment: bool,
) -> BatchFunction:
    """Batches of two concepts: a quarter of a batch for each alone, half for composites of both.

    With images of single concepts only, the frozen network and the separate embeddings would make
    joint training equal to two separate ones. Composites, with either concept on the left, show
    both in one image.
    """
    alone = [
        single(
            c, a, size=size, batch=max(1, batch // 4), seed=seed, wording=wording, augment=augment
        )
        for c, a in zip(concepts, every, strict=True)
    ]
    pairs = templates.pairs(wording)

    def draw(step: int) -> tuple[Tensor, list[str]]:
        stream = rng.numpy_rng(seed, "composites", step)
        parts = [item(step) for item in alone]
        images, answer = [], []
        for _ in range(max(1, batch - sum(len(part[1]) for part in parts))):
            order = (0, 1) if stream.random() < 0.5 else (1, 0)
            left, right = (concepts[k] for k in order)
            chosen = tuple(int(stream.integers(len(c.images))) for c in (left, right))
            images.append(photos.composite(left, right, (chosen[0], chosen[1]), size))
            text = pairs[stream.integers(len(pairs))]
            answer.append(text.format(*(every[k].words for k in order)))
        pictures = [*(part[0] for part in parts), tensor(images)]
        texts = [text for part in parts for text in part[1]]
        return torch.cat(pictures), [*texts, *answer]

    return draw


def mixed(first: BatchFunction, others: BatchFunction) -> BatchFunction:
    """Batches that join those of two batch functions."""

    def draw(step: int) -> tuple[Tensor, list[str]]:
        (a, answer), (b, eval_prompts) = first(step), others(step)
        return torch.cat([a, b]), [*answer, *eval_prompts]

    return draw


def prior_preservation(
    images: np.ndarray, captions: Sequence[str], *, batch: int, seed: int
) -> BatchFunction:
    """Batches of captioned images uint8 (N, S, S, 3) that preserve the model's prior."""

    def draw(step: int) -> tuple[Tensor, list[str]]:
        rows: Any = rng.numpy_rng(seed, "regular", step).integers(len(images), size=batch)
        return tensor(list(images[rows])), [captions[k] for k in rows]

    return draw


def sentences(concept: Concept, wording: str) -> tuple[str, ...]:
    """The sentences that a concept is learned in."""
    return templates.of(concept.spec.kind, wording)

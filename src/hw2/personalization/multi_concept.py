"""Methods for two concepts in one image, trained equally long and sampled from the same noise.

All methods except `prompt_only` and `freecustom` start from the same embeddings, which are learned
in `multi_concept.steps` steps of each concept alone, and train for `multi_concept.finetune_steps`
steps after that (for each concept, if a method trains the concepts separately).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from hw2 import rng
from hw2.config import params
from hw2.personalization import batches, custom_diffusion, freecustom, tokens, train
from hw2.personalization.batches import BatchFunction
from hw2.personalization.photos import Concept
from hw2.personalization.tokens import Added
from hw2.stable_diffusion import sample as drawing
from hw2.stable_diffusion.load import image_size
from hw2.stable_diffusion.sample import SampleRequest
from hw2.training.resume import Resume

UNTRAINED = ("prompt_only", "freecustom")
WITH_MATRICES = ("custom_diffusion_joint", "custom_diffusion_merged")
State = dict[str, Any]
# Embeddings change less if keys and values are trained too, or if composites show both concepts:
# they start from learned values and are only refined.
_KV_LR_FACTOR, _JOINT_LR_FACTOR = 0.25, 0.5


def _lr_factor(trains_kv: bool, concepts: int) -> float:
    """Factor on the learning rate of the embeddings, `personalization.train.lr`."""
    if trains_kv:
        return _KV_LR_FACTOR
    return _JOINT_LR_FACTOR if concepts > 1 else 1.0


@dataclass(frozen=True)
class PriorPreservation:
    """Images uint8 (N, S, S, 3) with captions like those that the model was trained on."""

    images: np.ndarray
    captions: list[str]


@dataclass(frozen=True)
class Comparison:
    """What all methods of a seed share.

    Attributes:
        pipe: The pipeline, with both tokens in its vocabulary.
        pair: The two concepts.
        added: Their tokens.
        personalization: Section `personalization`.
        prior_preservation: Captioned images that preserve the model's prior.
        checkpoints: Folder of resume files.
        identity: Everything except the seed that changes the result of the trainings.
        seed: The seed of the trainings and of the images.
    """

    pipe: Any
    pair: tuple[Concept, Concept]
    added: tuple[Added, Added]
    personalization: params.Personalization
    prior_preservation: PriorPreservation
    checkpoints: Path
    identity: dict[str, Any]
    seed: int

    def _train(
        self,
        name: str,
        every: tuple[Added, ...],
        batch_function: BatchFunction,
        steps: int,
        kv: bool = False,
    ) -> int:
        """Train tokens; returns the number of images that passed the U-Net."""
        weights = custom_diffusion.matrices(self.pipe.unet) if kv else None
        identity = self.identity | {"seed": self.seed, "training": name}
        with Resume(self.checkpoints, identity) as resume:
            train.fit(
                self.pipe, every, batch_function, self.personalization.train, steps=steps,
                lr=self.personalization.train.lr * _lr_factor(kv, len(every)),
                seed=rng.derive(self.seed, name), resume=resume, matrices=weights,
                matrices_lr=self.personalization.multi_concept.kv_lr,
                desc=f"{name}, seed {self.seed}",
            )  # fmt: skip
        return steps * len(batch_function(0)[1])

    def _alone(self, position: int, name: str, batch: int) -> BatchFunction:
        concept, added = self.pair[position], self.added[position]
        return batches.single(concept, added, seed=rng.derive(self.seed, name), **self._how(batch))

    def _how(self, batch: int) -> dict[str, Any]:
        return {
            "size": image_size(self.pipe),
            "batch": batch,
            "wording": self.personalization.wording,
            "augment": self.personalization.train.augment,
        }

    def _held(self, batch_function: BatchFunction, batch: int) -> BatchFunction:
        """Batches with as many prior preservation images added to each."""
        own = batches.prior_preservation(
            self.prior_preservation.images,
            self.prior_preservation.captions,
            batch=batch,
            seed=self.seed,
        )
        return batches.mixed(batch_function, own)

    def rows(self) -> list[Tensor]:
        """The present embeddings of both tokens, on the CPU."""
        table = self.pipe.text_encoder.get_input_embeddings().weight.detach()
        return [table[list(added.ids)].cpu().clone() for added in self.added]

    def put(self, rows: Sequence[Tensor]) -> None:
        """Set the embeddings of both tokens."""
        for added, values in zip(self.added, rows, strict=True):
            tokens.put(self.pipe, added, values)

    def start(self) -> State:
        """Learn each concept alone, from its initializer.

        Returns:
            The `rows` (embeddings) that trained methods start from, and `trained`, the number of
            images that passed the U-Net.
        """
        trained = 0
        for position, (concept, added) in enumerate(zip(self.pair, self.added, strict=True)):
            spec = concept.spec
            tokens.put(self.pipe, added, tokens.initial(self.pipe, spec.initializer, spec.vectors))
            batch, name = self.personalization.train.batch_size, f"start {spec.key}"
            alone = self._alone(position, name, batch)
            trained += self._train(name, (added,), alone, self.personalization.multi_concept.steps)
        return {"rows": self.rows(), "trained": trained}

    def apply(self, method: str) -> int:
        """Train a method from the present weights; returns the number of training images."""
        batch, more = (
            self.personalization.train.batch_size,
            self.personalization.multi_concept.finetune_steps,
        )
        trained = 0
        if method == "separate":
            for position, added in enumerate(self.added):
                name = f"separate {added.token}"
                trained += self._train(name, (added,), self._alone(position, name, batch), more)
        elif method == "joint":
            both = batches.joint(self.pair, self.added, seed=self.seed, **self._how(batch))
            trained = self._train("joint", self.added, both, more)
        elif method == "custom_diffusion_joint":
            half = max(1, batch // 2)
            both = batches.mixed(*(self._alone(k, f"custom {k}", half) for k in (0, 1)))
            held = self._held(both, half)
            trained = self._train("custom_diffusion_joint", self.added, held, more, kv=True)
        elif method == "custom_diffusion_merged":
            trained = self._merged()
        return trained

    def _merged(self) -> int:
        """Train each concept's keys and values alone, then merge them in closed form."""
        weights = custom_diffusion.matrices(self.pipe.unet)
        base, tuned, seen, trained = custom_diffusion.snapshot(weights), [], [], 0
        batch = self.personalization.train.batch_size
        for position, added in enumerate(self.added):
            name = f"custom {added.token}"
            batch_function = self._held(self._alone(position, name, batch), max(1, batch // 2))
            trained += self._train(
                name,
                (added,),
                batch_function,
                self.personalization.multi_concept.finetune_steps,
                kv=True,
            )
            tuned.append(custom_diffusion.snapshot(weights))
            custom_diffusion.put(weights, base)
        sentences = batches.sentences(self.pair[0], self.personalization.wording)
        for added in self.added:
            texts = [text.format(added.words) for text in sentences]
            seen.append(custom_diffusion.concept_features(self.pipe, texts, added.ids))
        result = custom_diffusion.merge(
            base,
            tuned,
            seen,
            custom_diffusion.features(self.pipe, self.prior_preservation.captions),
        )
        custom_diffusion.put(weights, result)
        return trained


def measure(comparison: Comparison, method: str, start: State | None) -> tuple[np.ndarray, State]:
    """Train a method and sample images with it.

    Args:
        comparison: What all methods of the seed share.
        method: Name of the method.
        start: The result of `Comparison.start`; None for a method without training.

    Returns:
        Images uint8 (prompts, N, S, S, 3), and a record of the costs: `trained`, images that passed
        the U-Net in training, including the start; `drawn`, images that passed it while sampling;
        and what is stored, `rows` and `deltas` of keys and values.
    """
    weights = custom_diffusion.matrices(comparison.pipe.unet)
    base = custom_diffusion.snapshot(weights)
    trained = 0
    if start is not None:
        comparison.put(start["rows"])
        trained = start["trained"] + comparison.apply(method)
    tuned = custom_diffusion.snapshot(weights) if method in WITH_MATRICES else {}
    stored = [] if start is None else comparison.rows()
    with _counted(comparison.pipe.unet) as seen:
        images = _draw(comparison, method)
    custom_diffusion.put(weights, base)
    deltas = custom_diffusion.changed(base, tuned)
    return images, {
        "trained": trained, "drawn": sum(seen), "rows": stored, "deltas": deltas
    }  # fmt: skip


@contextmanager
def _counted(unet: Any) -> Iterator[list[int]]:
    """A list that collects the number of images of each pass through the U-Net."""
    seen: list[int] = []
    hook = unet.register_forward_hook(lambda _unet, given, _said: seen.append(len(given[0])))
    try:
        yield seen
    finally:
        hook.remove()


def _draw(comparison: Comparison, method: str) -> np.ndarray:
    """Sample images uint8 (prompts, N, S, S, 3), from the same noises for all methods."""
    settings, how = comparison.personalization.multi_concept, comparison.personalization.sampling
    words = [c.spec.initializer if method in UNTRAINED else c.spec.token for c in comparison.pair]
    requests = [
        SampleRequest(prompt.format(*words), f"multi_concept {position}", number)
        for position, prompt in enumerate(settings.prompts)
        for number in range(settings.images)
    ]
    if method == "freecustom":
        drawn = _freecustom(comparison, requests)
    else:
        drawn = drawing.draw_all(comparison.pipe, requests, how, seed=comparison.seed)
    return drawn.reshape(len(settings.prompts), settings.images, *drawn.shape[1:])


def _freecustom(comparison: Comparison, requests: Sequence[SampleRequest]) -> np.ndarray:
    how = comparison.personalization.sampling
    sentences = [f"a photo of a {concept.spec.initializer}" for concept in comparison.pair]
    parts = [requests[k : k + how.batch_size] for k in range(0, len(requests), how.batch_size)]
    drawn = [
        freecustom.draw(
            comparison.pipe, part, comparison.pair, sentences, how,
            weight=comparison.personalization.multi_concept.reference_weight, seed=comparison.seed,
        )
        for part in parts
    ]  # fmt: skip
    return np.concatenate(drawn)

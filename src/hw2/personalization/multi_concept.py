"""Methods for two concepts in one image, trained equally long and sampled from the same noise.

All methods except `prompt_only` and `freecustom` start from the same embeddings, which are learnt
in `multi_concept.steps` steps of each concept alone, and train for `multi_concept.finetune_steps`
steps after that (for each concept, where a method trains the concepts alone).
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
from hw2.personalization.batches import Lesson
from hw2.personalization.photos import Concept
from hw2.personalization.tokens import Added
from hw2.stable_diffusion import sample as drawing
from hw2.stable_diffusion.load import image_size
from hw2.stable_diffusion.sample import Wish
from hw2.training.resume import Resume

UNTRAINED = ("prompt_only", "freecustom")
WITH_MATRICES = ("custom_diffusion_joint", "custom_diffusion_merged")
State = dict[str, Any]
# Embeddings move less where keys and values are trained too, and where composites show both
# concepts: they start from learnt values there, and are only to be refined.
_KV_LR_FACTOR, _JOINT_LR_FACTOR = 0.25, 0.5


def _lr_factor(trains_kv: bool, concepts: int) -> float:
    """Factor on the learning rate of the embeddings, `personalization.train.lr`."""
    if trains_kv:
        return _KV_LR_FACTOR
    return _JOINT_LR_FACTOR if concepts > 1 else 1.0


@dataclass(frozen=True)
class Regular:
    """Pictures uint8 (N, S, S, 3) with captions, as the model was trained on."""

    images: np.ndarray
    captions: list[str]


@dataclass(frozen=True)
class Bench:
    """What all methods of one seed share.

    Attributes:
        pipe: The pipeline, which has both tokens.
        pair: The two concepts.
        added: Their tokens.
        regular: What holds the model in place.
        checkpoints: Where resume files go.
        identity: What makes these trainings; the seed is a part of it.
    """

    pipe: Any
    pair: tuple[Concept, Concept]
    added: tuple[Added, Added]
    personalization: params.Personalization
    regular: Regular
    checkpoints: Path
    identity: dict[str, Any]
    seed: int

    def _train(
        self, name: str, every: tuple[Added, ...], lesson: Lesson, steps: int, kv: bool = False
    ) -> int:
        """Returns how many pictures the U-Net saw."""
        weights = custom_diffusion.matrices(self.pipe.unet) if kv else None
        identity = self.identity | {"seed": self.seed, "training": name}
        with Resume(self.checkpoints, identity) as resume:
            train.fit(
                self.pipe, every, lesson, self.personalization.train, steps=steps,
                lr=self.personalization.train.lr * _lr_factor(kv, len(every)),
                seed=rng.derive(self.seed, name), resume=resume, matrices=weights,
                matrices_lr=self.personalization.multi_concept.kv_lr,
                desc=f"{name}, seed {self.seed}",
            )  # fmt: skip
        return steps * len(lesson(0)[1])

    def _alone(self, place: int, name: str, batch: int) -> Lesson:
        concept, added = self.pair[place], self.added[place]
        return batches.single(concept, added, seed=rng.derive(self.seed, name), **self._how(batch))

    def _how(self, batch: int) -> dict[str, Any]:
        return {
            "size": image_size(self.pipe),
            "batch": batch,
            "wording": self.personalization.wording,
            "augment": self.personalization.train.augment,
        }

    def _held(self, lesson: Lesson, batch: int) -> Lesson:
        """A lesson with as many pictures of the model's own world."""
        own = batches.regular(
            self.regular.images, self.regular.captions, batch=batch, seed=self.seed
        )
        return batches.mixed(lesson, own)

    def rows(self) -> list[Tensor]:
        """The rows of both tokens as they are."""
        table = self.pipe.text_encoder.get_input_embeddings().weight.detach()
        return [table[list(added.ids)].cpu().clone() for added in self.added]

    def put(self, rows: Sequence[Tensor]) -> None:
        for added, values in zip(self.added, rows, strict=True):
            tokens.put(self.pipe, added, values)

    def start(self) -> State:
        """Learn each concept alone, from its initializer; the `rows` that trained methods start
        from, and the pictures `trained` on."""
        trained = 0
        for place, (concept, added) in enumerate(zip(self.pair, self.added, strict=True)):
            spec = concept.spec
            tokens.put(self.pipe, added, tokens.initial(self.pipe, spec.initializer, spec.vectors))
            batch, name = self.personalization.train.batch_size, f"start {spec.key}"
            alone = self._alone(place, name, batch)
            trained += self._train(name, (added,), alone, self.personalization.multi_concept.steps)
        return {"rows": self.rows(), "trained": trained}

    def apply(self, method: str) -> int:
        """Train a method from the present rows and matrices; returns the pictures trained on."""
        batch, more = (
            self.personalization.train.batch_size,
            self.personalization.multi_concept.finetune_steps,
        )
        trained = 0
        if method == "separate":
            for place, added in enumerate(self.added):
                name = f"separate {added.token}"
                trained += self._train(name, (added,), self._alone(place, name, batch), more)
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
        """Each concept's keys and values trained alone, then merged in closed form."""
        weights = custom_diffusion.matrices(self.pipe.unet)
        base, tuned, seen, trained = custom_diffusion.snapshot(weights), [], [], 0
        batch = self.personalization.train.batch_size
        for place, added in enumerate(self.added):
            name = f"custom {added.token}"
            lesson = self._held(self._alone(place, name, batch), max(1, batch // 2))
            trained += self._train(
                name, (added,), lesson, self.personalization.multi_concept.finetune_steps, kv=True
            )
            tuned.append(custom_diffusion.snapshot(weights))
            custom_diffusion.put(weights, base)
        sentences = batches.sentences(self.pair[0], self.personalization.wording)
        for added in self.added:
            texts = [text.format(added.words) for text in sentences]
            seen.append(custom_diffusion.concept_features(self.pipe, texts, added.ids))
        found = custom_diffusion.merge(
            base, tuned, seen, custom_diffusion.features(self.pipe, self.regular.captions)
        )
        custom_diffusion.put(weights, found)
        return trained


def measure(bench: Bench, method: str, start: State | None) -> tuple[np.ndarray, State]:
    """Train and draw one method.

    Args:
        start: what `Bench.start` learnt; None for a method without training.

    Returns:
        Images uint8 (prompts, N, S, S, 3); the pictures that the U-Net was `trained` on, with the
        start, and those that it saw while the images were `drawn`; what is stored: `rows`, and
        `deltas` of keys and values.
    """
    weights = custom_diffusion.matrices(bench.pipe.unet)
    base = custom_diffusion.snapshot(weights)
    trained = 0
    if start is not None:
        bench.put(start["rows"])
        trained = start["trained"] + bench.apply(method)
    tuned = custom_diffusion.snapshot(weights) if method in WITH_MATRICES else {}
    stored = [] if start is None else bench.rows()
    with _counted(bench.pipe.unet) as seen:
        images = _draw(bench, method)
    custom_diffusion.put(weights, base)
    deltas = custom_diffusion.changed(base, tuned)
    return images, {
        "trained": trained, "drawn": sum(seen), "rows": stored, "deltas": deltas
    }  # fmt: skip


@contextmanager
def _counted(unet: Any) -> Iterator[list[int]]:
    """A list that gets the pictures of each pass through the U-Net."""
    seen: list[int] = []
    hook = unet.register_forward_hook(lambda _unet, given, _said: seen.append(len(given[0])))
    try:
        yield seen
    finally:
        hook.remove()


def _draw(bench: Bench, method: str) -> np.ndarray:
    """Images uint8 (prompts, N, S, S, 3), the same noises for all methods."""
    settings, how = bench.personalization.multi_concept, bench.personalization.sampling
    words = [c.spec.initializer if method in UNTRAINED else c.spec.token for c in bench.pair]
    wishes = [
        Wish(prompt.format(*words), f"multi_concept {place}", number)
        for place, prompt in enumerate(settings.prompts)
        for number in range(settings.images)
    ]
    if method == "freecustom":
        drawn = _freecustom(bench, wishes)
    else:
        drawn = drawing.draw_all(bench.pipe, wishes, how, seed=bench.seed)
    return drawn.reshape(len(settings.prompts), settings.images, *drawn.shape[1:])


def _freecustom(bench: Bench, wishes: Sequence[Wish]) -> np.ndarray:
    how = bench.personalization.sampling
    sentences = [f"a photo of a {concept.spec.initializer}" for concept in bench.pair]
    parts = [wishes[k : k + how.batch_size] for k in range(0, len(wishes), how.batch_size)]
    drawn = [
        freecustom.draw(
            bench.pipe, part, bench.pair, sentences, how,
            weight=bench.personalization.multi_concept.reference_weight, seed=bench.seed,
        )
        for part in parts
    ]  # fmt: skip
    return np.concatenate(drawn)

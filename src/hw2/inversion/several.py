"""Ways to have two concepts in one picture, each trained for as long and drawn from the same noise.

All but `words` and `freecustom` start from the same rows, learnt for `steps` steps of each concept
alone, and train `more` steps after that (for each concept, where it is trained alone).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from hw2 import params, rng
from hw2.inversion import custom, freecustom, learn, lessons, tokens
from hw2.inversion import draw as drawing
from hw2.inversion.lessons import Lesson
from hw2.inversion.photos import Concept
from hw2.inversion.pipes import image_size
from hw2.inversion.tokens import Added
from hw2.training.checkpoint import Resume

UNTRAINED = ("words", "freecustom")
State = dict[str, Any]


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
    inversion: params.Inversion
    several: params.Several
    regular: Regular
    checkpoints: Path
    identity: dict[str, Any]
    seed: int

    def _train(
        self, name: str, every: tuple[Added, ...], lesson: Lesson, steps: int, kv: bool = False
    ) -> None:
        weights = custom.matrices(self.pipe.unet) if kv else None
        resume = Resume(self.checkpoints, self.identity | {"seed": self.seed, "training": name})
        learn.fit(
            self.pipe, every, lesson, self.inversion.train, steps=steps,
            # Where keys and values train as well, and in composites, rows move less.
            lr=self.inversion.train.lr * (0.25 if kv else 0.5 if len(every) > 1 else 1.0),
            seed=rng.derive(self.seed, name), resume=resume, matrices=weights,
            matrices_lr=self.several.matrices_lr, desc=f"{name}, seed {self.seed}",
        )  # fmt: skip
        resume.finish()

    def _alone(self, place: int, name: str, batch: int) -> Lesson:
        concept, added = self.pair[place], self.added[place]
        return lessons.single(concept, added, seed=rng.derive(self.seed, name), **self._how(batch))

    def _how(self, batch: int) -> dict[str, Any]:
        return {
            "size": image_size(self.pipe), "batch": batch,
            "wording": self.inversion.wording, "views": self.inversion.train.views,
        }  # fmt: skip

    def _held(self, lesson: Lesson, batch: int) -> Lesson:
        """A lesson with as many pictures of the model's own world."""
        own = lessons.regular(
            self.regular.images, self.regular.captions, batch=batch, seed=self.seed
        )
        return lessons.mixed(lesson, own)

    def rows(self) -> list[Tensor]:
        """The rows of both tokens as they are."""
        table = self.pipe.text_encoder.get_input_embeddings().weight.detach()
        return [table[list(added.ids)].cpu().clone() for added in self.added]

    def put(self, rows: Sequence[Tensor]) -> None:
        for added, values in zip(self.added, rows, strict=True):
            tokens.put(self.pipe, added, values)

    def start(self) -> None:
        """Learn each concept alone, from its initialiser."""
        for place, (concept, added) in enumerate(zip(self.pair, self.added, strict=True)):
            spec = concept.spec
            tokens.put(self.pipe, added, tokens.initial(self.pipe, spec.initialiser, spec.vectors))
            batch, name = self.inversion.train.batch, f"start {spec.key}"
            self._train(name, (added,), self._alone(place, name, batch), self.several.steps)

    def apply(self, method: str) -> dict[str, Tensor]:
        """Train a method from the present rows; returns the keys and values that it changed."""
        batch, more = self.inversion.train.batch, self.several.more
        if method == "separate":
            for place, added in enumerate(self.added):
                name = f"separate {added.token}"
                self._train(name, (added,), self._alone(place, name, batch), more)
        elif method == "joint":
            both = lessons.joint(self.pair, self.added, seed=self.seed, **self._how(batch))
            self._train("joint", self.added, both, more)
        elif method == "custom_joint":
            half = max(1, batch // 2)
            both = lessons.mixed(*(self._alone(k, f"custom {k}", half) for k in (0, 1)))
            self._train("custom_joint", self.added, self._held(both, half), more, kv=True)
            return custom.snapshot(custom.matrices(self.pipe.unet))
        elif method == "custom_merged":
            return self._merged()
        return {}

    def _merged(self) -> dict[str, Tensor]:
        """Each concept's keys and values trained alone, then merged in closed form."""
        weights = custom.matrices(self.pipe.unet)
        base, tuned, seen = custom.snapshot(weights), [], []
        batch = self.inversion.train.batch
        for place, added in enumerate(self.added):
            name = f"custom {added.token}"
            lesson = self._held(self._alone(place, name, batch), max(1, batch // 2))
            self._train(name, (added,), lesson, self.several.more, kv=True)
            tuned.append(custom.snapshot(weights))
            custom.put(weights, base)
        sentences = lessons.sentences(self.pair[0], self.inversion.wording)
        for added in self.added:
            texts = [text.format(added.words) for text in sentences]
            seen.append(custom.concept_features(self.pipe, texts, added.ids))
        found = custom.merge(base, tuned, seen, custom.features(self.pipe, self.regular.captions))
        custom.put(weights, found)
        return found


def measure(bench: Bench, method: str, rows: Sequence[Tensor] | None) -> tuple[np.ndarray, State]:
    """Train and draw one method.

    Args:
        rows: what `Bench.start` learnt; None for a method without training.

    Returns:
        Images uint8 (prompts, N, S, S, 3), and `seconds` with what is stored: `rows`, `deltas`.
    """
    weights = custom.matrices(bench.pipe.unet)
    base = custom.snapshot(weights)
    before = time.perf_counter()
    if rows is not None:
        bench.put(rows)
    tuned = bench.apply(method)
    stored = [] if method in UNTRAINED else bench.rows()
    images = [_draw(bench, method, place) for place in range(len(bench.several.prompts))]
    seconds = time.perf_counter() - before
    custom.put(weights, base)
    deltas = {name: (tuned[name] - base[name]).cpu() for name in tuned}
    return np.stack(images), {"seconds": seconds, "rows": stored, "deltas": deltas}


def _draw(bench: Bench, method: str, place: int) -> np.ndarray:
    several, how = bench.several, bench.inversion.draw
    trained = method not in UNTRAINED
    words = [c.spec.token if trained else c.spec.initialiser for c in bench.pair]
    prompt, numbers = several.prompts[place].format(*words), range(several.images)
    stream = f"several {place}"
    if method != "freecustom":
        return drawing.draw(bench.pipe, prompt, numbers, how, seed=bench.seed, stream=stream)
    sentences = [f"a photo of a {concept.spec.initialiser}" for concept in bench.pair]
    parts = [numbers[k : k + how.batch] for k in range(0, len(numbers), how.batch)]
    drawn = [
        freecustom.draw(
            bench.pipe, prompt, bench.pair, sentences, part, how,
            weight=several.weight, seed=bench.seed, stream=stream,
        )
        for part in parts
    ]  # fmt: skip
    return np.concatenate(drawn)


def begun(bench: Bench) -> State:
    """The rows that trained methods start from, and the seconds that they took."""
    before = time.perf_counter()
    bench.start()
    return {"rows": bench.rows(), "seconds": time.perf_counter() - before}

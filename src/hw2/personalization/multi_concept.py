"""Methods for two concepts in one image, trained equally long and sampled from the same noise.

All methods except `prompt_only` and `freecustom` start from the embeddings that textual inversion
learned of each concept alone, and train for `multi_concept.finetune_steps` steps after that (for
each concept, if a method trains the concepts separately). Seeds vary that training and the noises.
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
from hw2.personalization.prior_preservation import PriorPreservationImages
from hw2.personalization.tokens import AddedToken
from hw2.stable_diffusion import sample
from hw2.stable_diffusion.load import image_size
from hw2.stable_diffusion.sample import SampleRequest
from hw2.training.resume import Resume

UNTRAINED = ("prompt_only", "freecustom")
WITH_MATRICES = ("custom_diffusion_joint", "custom_diffusion_merged")
State = dict[str, Any]
# Embeddings change less if keys and values are trained too, or if both concepts are in a batch:
# they start from learned values and are only refined.
_KV_LR_FACTOR, _JOINT_LR_FACTOR = 0.25, 0.5


def _lr_factor(train_kv: bool, concepts: int) -> float:
    """Factor on the learning rate of the embeddings, `personalization.train.lr`."""
    if train_kv:
        return _KV_LR_FACTOR
    return _JOINT_LR_FACTOR if concepts > 1 else 1.0


@dataclass(frozen=True)
class Pair:
    """Two concepts in one image.

    Attributes:
        name: The pair in files and tables.
        concepts: The two concepts; the second one may be a style.
        added: Their tokens.
        prompts: Prompts, with `{0}` and `{1}` for the concepts.
        learned: The embeddings that textual inversion learned, float (vectors, width) each.
    """

    name: str
    concepts: tuple[Concept, Concept]
    added: tuple[AddedToken, AddedToken]
    prompts: tuple[str, ...]
    learned: tuple[Tensor, Tensor]

    @property
    def has_style(self) -> bool:
        """Whether the pair is an object in a style, and not two objects side by side."""
        return any(concept.spec.kind == "style" for concept in self.concepts)


@dataclass(frozen=True)
class TrainedAlone:
    """The result of the training of a single concept.

    Attributes:
        rows: The embedding, float (vectors, width).
        matrices: Keys and values, by name; empty unless they were trained.
        images: Number of images that passed the U-Net.
    """

    rows: Tensor
    matrices: dict[str, Tensor]
    images: int


@dataclass(frozen=True)
class SeedRun:
    """All methods for a pair with one seed: what they share, and their trainings.

    Attributes:
        pipe: The pipeline, with both tokens in its vocabulary.
        pair: The two concepts with their tokens.
        personalization: Section `personalization`.
        prior_preservation: Captioned images that preserve the model's prior.
        checkpoints: Folder of resume files.
        identity: Everything except the seed that changes the result of the trainings.
        seed: The seed of the trainings and of the images.
        alone: Finished trainings of a single concept with this seed, by name. Another pair with the
            same concept has the same training, so that pairs share this dictionary.
    """

    pipe: Any
    pair: Pair
    personalization: params.Personalization
    prior_preservation: PriorPreservationImages
    checkpoints: Path
    identity: dict[str, Any]
    seed: int
    alone: dict[str, TrainedAlone]

    def _train(
        self,
        name: str,
        added_tokens: tuple[AddedToken, ...],
        batch_function: BatchFunction,
        steps: int,
        train_kv: bool = False,
    ) -> int:
        """Train tokens; returns the number of images that passed the U-Net."""
        weights = custom_diffusion.key_value_matrices(self.pipe.unet) if train_kv else None
        identity = self.identity | {"seed": self.seed, "training": name}
        with Resume(self.checkpoints, identity) as resume:
            train.train_embeddings(
                self.pipe, added_tokens, batch_function, self.personalization.train, steps=steps,
                lr=self.personalization.train.lr * _lr_factor(train_kv, len(added_tokens)),
                seed=rng.derive(self.seed, name), resume=resume, matrices=weights,
                matrices_lr=self.personalization.multi_concept.kv_lr,
                desc=f"{name}, seed {self.seed}",
            )  # fmt: skip
        return steps * len(batch_function(0)[1])

    def _train_alone(
        self, index: int, name: str, batch_function: BatchFunction, train_kv: bool = False
    ) -> int:
        """Train one concept, unless another pair has; returns the number of training images."""
        added = self.pair.added[index]
        weights = custom_diffusion.key_value_matrices(self.pipe.unet) if train_kv else {}
        if name in self.alone:
            tokens.set_embedding(self.pipe, added, self.alone[name].rows)
            custom_diffusion.set_matrices(weights, self.alone[name].matrices)
        else:
            steps = self.personalization.multi_concept.finetune_steps
            images = self._train(name, (added,), batch_function, steps, train_kv)
            matrices = custom_diffusion.snapshot(weights)
            self.alone[name] = TrainedAlone(self.rows()[index], matrices, images)
        return self.alone[name].images

    def _single_concept_batches(self, index: int, name: str, batch_size: int) -> BatchFunction:
        concept, added = self.pair.concepts[index], self.pair.added[index]
        return batches.single(
            concept, added, seed=rng.derive(self.seed, name), **self._batch_settings(batch_size)
        )

    def _batch_settings(self, batch_size: int) -> dict[str, Any]:
        return {
            "size": image_size(self.pipe),
            "batch_size": batch_size,
            "wording": self.personalization.wording,
            "augment": self.personalization.train.augment,
        }

    def _with_prior_preservation(
        self, batch_function: BatchFunction, batch_size: int
    ) -> BatchFunction:
        """Batches with `batch_size` prior preservation images added to each."""
        preserving = batches.prior_preservation(
            self.prior_preservation.images,
            self.prior_preservation.captions,
            batch_size=batch_size,
            seed=self.seed,
        )
        return batches.concatenated(batch_function, preserving)

    def rows(self) -> list[Tensor]:
        """The current embeddings of both tokens, on the CPU."""
        table = self.pipe.text_encoder.get_input_embeddings().weight.detach()
        return [table[list(added.ids)].cpu().clone() for added in self.pair.added]

    def set_embeddings(self, rows: Sequence[Tensor]) -> None:
        """Set the embeddings of both tokens."""
        for added, values in zip(self.pair.added, rows, strict=True):
            tokens.set_embedding(self.pipe, added, values)

    def apply(self, method: str) -> int:
        """Train a method from the current weights; returns the number of training images."""
        batch_size = self.personalization.train.batch_size
        steps = self.personalization.multi_concept.finetune_steps
        trained = 0
        if method == "separate":
            for index, added in enumerate(self.pair.added):
                name = f"separate {added.token}"
                trained += self._train_alone(
                    index, name, self._single_concept_batches(index, name, batch_size)
                )
        elif method == "joint":
            both = batches.joint(
                self.pair.concepts,
                self.pair.added,
                seed=self.seed,
                **self._batch_settings(batch_size),
            )
            trained = self._train(f"joint {self.pair.name}", self.pair.added, both, steps)
        elif method == "custom_diffusion_joint":
            half = max(1, batch_size // 2)
            both = batches.concatenated(
                *(self._single_concept_batches(k, f"custom {k}", half) for k in (0, 1))
            )
            with_prior_preservation = self._with_prior_preservation(both, half)
            trained = self._train(
                f"custom_diffusion_joint {self.pair.name}",
                self.pair.added,
                with_prior_preservation,
                steps,
                train_kv=True,
            )
        elif method == "custom_diffusion_merged":
            trained = self._merged()
        return trained

    def _merged(self) -> int:
        """Train each concept's keys and values alone, then merge them in closed form."""
        weights = custom_diffusion.key_value_matrices(self.pipe.unet)
        base, tuned, trained = custom_diffusion.snapshot(weights), [], 0
        batch_size = self.personalization.train.batch_size
        for index, added in enumerate(self.pair.added):
            name = f"custom {added.token}"
            batch_function = self._with_prior_preservation(
                self._single_concept_batches(index, name, batch_size), max(1, batch_size // 2)
            )
            trained += self._train_alone(index, name, batch_function, train_kv=True)
            tuned.append(custom_diffusion.snapshot(weights))
            custom_diffusion.set_matrices(weights, base)
        concept_features = []
        for concept, added in zip(self.pair.concepts, self.pair.added, strict=True):
            sentences = batches.sentences(concept, self.personalization.wording)
            texts = [sentence.format(added.words) for sentence in sentences]
            concept_features.append(custom_diffusion.concept_features(self.pipe, texts, added.ids))
        merged = custom_diffusion.merge(
            base,
            tuned,
            concept_features,
            custom_diffusion.features(self.pipe, self.prior_preservation.captions),
        )
        custom_diffusion.set_matrices(weights, merged)
        return trained


def measure(run: SeedRun, method: str) -> tuple[np.ndarray, State]:
    """Train a method and sample images with it.

    Args:
        run: The methods' common state for the pair and the seed.
        method: Name of the method.

    Returns:
        Images uint8 (prompts, N, S, S, 3), and a record of the costs: `trained`, images that passed
        the U-Net in training, after textual inversion; `sampled`, images that passed it while
        sampling; and what is stored, `rows` and `deltas` of keys and values.
    """
    weights = custom_diffusion.key_value_matrices(run.pipe.unet)
    base = custom_diffusion.snapshot(weights)
    is_trained = method not in UNTRAINED
    trained = 0
    if is_trained:
        run.set_embeddings(run.pair.learned)
        trained = run.apply(method)
    tuned = custom_diffusion.snapshot(weights) if method in WITH_MATRICES else {}
    stored = run.rows() if is_trained else []
    with _count_images(run.pipe.unet) as counts:
        images = _sample(run, method)
    custom_diffusion.set_matrices(weights, base)
    deltas = custom_diffusion.weight_deltas(base, tuned)
    return images, {
        "trained": trained, "sampled": sum(counts), "rows": stored, "deltas": deltas
    }  # fmt: skip


@contextmanager
def _count_images(unet: Any) -> Iterator[list[int]]:
    """A list that collects the number of images of each pass through the U-Net."""
    counts: list[int] = []
    hook = unet.register_forward_hook(lambda _unet, inputs, _output: counts.append(len(inputs[0])))
    try:
        yield counts
    finally:
        hook.remove()


def _sample(run: SeedRun, method: str) -> np.ndarray:
    """Sample images uint8 (prompts, N, S, S, 3), from the seed's noises, equal for all methods."""
    count = run.personalization.multi_concept.images
    requests = sample_requests_of(run.pair, method, count)
    if method == "freecustom":
        images = _freecustom(run, requests)
    else:
        sampling = run.personalization.sampling
        images = sample.sample_requests(run.pipe, requests, sampling, seed=run.seed)
    return images.reshape(len(run.pair.prompts), count, *images.shape[1:])


def sample_requests_of(pair: Pair, method: str, count: int) -> list[SampleRequest]:
    """`count` images of each prompt; methods differ in words, never in the streams of the noises.

    A noise also depends on the seed that the images are sampled with.
    """
    concepts = pair.concepts
    words = [c.spec.initializer if method in UNTRAINED else c.spec.token for c in concepts]
    return [
        SampleRequest(prompt.format(*words), f"multi_concept {pair.name} {index}", number)
        for index, prompt in enumerate(pair.prompts)
        for number in range(count)
    ]


def _freecustom(run: SeedRun, requests: Sequence[SampleRequest]) -> np.ndarray:
    sampling = run.personalization.sampling
    sentences = [
        batches.sentences(concept, run.personalization.wording)[0].format(concept.spec.initializer)
        for concept in run.pair.concepts
    ]
    request_batches = [
        requests[k : k + sampling.batch_size] for k in range(0, len(requests), sampling.batch_size)
    ]
    images = [
        freecustom.sample_requests(
            run.pipe, batch, run.pair.concepts, sentences, sampling,
            weight=run.personalization.multi_concept.reference_weight, seed=run.seed,
        )
        for batch in request_batches
    ]  # fmt: skip
    return np.concatenate(images)

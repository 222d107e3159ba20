"""Training of one method on one or two domains with one seed."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hw2 import rng
from hw2.config import params
from hw2.config.choices import Precision
from hw2.dann import pairs
from hw2.dann.classifier import Classifier
from hw2.dann.method import SOURCE, TARGET, Batch, Method, Numbers, Sample, Setup, Views
from hw2.dann.pairs import Pair, TrainingImages
from hw2.dann.recipe import Recipe
from hw2.pixels import from_uint8
from hw2.runtime.device import one_thread
from hw2.training import processes
from hw2.training.batch_sampler import BatchSampler
from hw2.training.ema import EMA
from hw2.training.loop import finite, train
from hw2.training.parallel import ParallelMap
from hw2.training.precision import autocast, unscaled
from hw2.training.resume import Resume

_OUTPUTS = ("features", "logits", "teacher_logits")  # of a batch
_HINT = "lower dann.train.lr"
_GLOBAL_STREAM = threading.Lock()
"""Held while initial weights are drawn: trainings in several threads share PyTorch's stream."""


@dataclass(frozen=True)
class Training:
    """A method with one seed on the domains that it reads (`Method.trained_on`)."""

    pair: Pair
    method: str
    seed: int

    @property
    def slug(self) -> str:
        """The name in file names."""
        return f"{self.pair.slug}/{self.method}-{self.seed}"

    @property
    def name(self) -> str:
        """The name in messages."""
        return f"{self.pair.name} {self.method} {self.seed}"


def identity(dann: params.Dann, training: Training, digits_arrays: Path) -> dict[str, Any]:
    """Everything that changes the result of a training, except code.

    These are its own hyperparameters and the shared parameters, without `save_every`.
    """
    loop = dann.train.model_dump(mode="json")
    del loop["save_every"]
    hyperparameters = getattr(dann.hyperparameters, training.method)
    return {
        "training": [training.pair.name, training.method, training.seed],
        "network": dann.network.model_dump(mode="json"),
        "augmentations": dann.augmentations.model_dump(mode="json"),
        "train": loop,
        "hyperparameters": hyperparameters.model_dump(mode="json"),
        "data": pairs.identity(digits_arrays, training.pair),
    }


def train_method(
    dann: params.Dann,
    training: Training,
    method: type[Method],
    digits_arrays: Path,
    resume: Resume,
    device: torch.device,
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Train, and return the last averaged weights and the history (`step` and the step's numbers).

    Labels of the second domain are read only if it is the first one as well. The last weights are
    the result: no checkpoint is selected.
    """
    how = recipe(dann, training, method)
    images = TrainingImages.load(digits_arrays, training.pair)
    network = _new_network(dann, training, how.extractor, images, device)
    ema = EMA(network, how.ema_decay)
    with _GLOBAL_STREAM, rng.seeded_init(training.seed, "initial weights of the method"):
        hyperparameters = getattr(dann.hyperparameters, training.method)
        learner = method(Setup(network, ema, dann.augmentations), hyperparameters)
    modules = {name: module.to(device) for name, module in learner.modules().items()}
    weights = [p for module in (network, *modules.values()) for p in module.parameters()]
    optimizers = how.optimizers(network, weights)
    sizes = learner.batch_sizes(dann.train.batch_size)
    samples = _Samples(images, training, sizes, device)
    precision = unscaled(device, dann.train.precision)
    step_frame = _StepFrame(network, learner, weights, dann.network.dropout, device, precision)

    def advance(step: int) -> Numbers:
        progress = step / dann.train.steps
        source, target = (samples.load(step, index, progress) for index in (SOURCE, TARGET))
        raw, numbers = step_frame.backward(source, target)
        value = finite(raw, step, _HINT)
        lr = optimizers.step(how.rate(step))
        ema.update(network)
        return {"loss": value, "lr": lr, **numbers}

    network.train()
    with one_thread():
        history = train(
            advance,
            {"network": network, "ema": ema, "optimizers": optimizers, **modules},
            steps=dann.train.steps,
            resume=resume,
            save_every=dann.train.save_every,
            desc=training.name,
            hint=_HINT,
        )
    return ema.weights, history


def recipe(dann: params.Dann, training: Training, method: type[Method]) -> Recipe:
    """How the classifier of a training is optimized."""
    return method.recipe(dann.train, getattr(dann.hyperparameters, training.method))


class _Samples:
    """The samples of every step, from streams that only the seed and the step decide.

    All methods with the same seed see the images of a domain in the same order.
    """

    def __init__(
        self,
        images: TrainingImages,
        training: Training,
        sizes: tuple[int, int],
        device: torch.device,
    ) -> None:
        self.sizes, self.seed, self.device = sizes, training.seed, device
        self.images = (images.source, images.target)
        self.digits = (images.source_digits, images.target_digits)
        self.orders = [
            BatchSampler(len(self.images[index]), rng.derive(self.seed, "order", domain, index))
            for index, domain in enumerate(training.pair.domains)
        ]

    def load(self, step: int, index: int, progress: float) -> Sample:
        """The source's (`index` 0) or the target's sample of a step."""
        rows = self.orders[index].batch(step, self.sizes[index])
        digits = self.digits[index]
        labels = None if digits is None else torch.from_numpy(digits[rows])
        return Sample(
            images=from_uint8(self.images[index][rows]).to(self.device, non_blocking=True),
            digits=None if labels is None else labels.to(self.device, non_blocking=True),
            domain=index,
            stream=rng.torch_rng(self.seed, "augmentations", step, index),
            progress=progress,
        )


class _StepFrame:
    """Forward and backward passes of a step, with a CPU thread for each domain.

    A method needs both domains at once, and two threads with a batch each are faster than two
    threads that share every operation. So the graph is cut at features and logits: both forward
    passes run side by side, the method's small loss runs on the whole, and both backward passes
    run side by side again from the gradients of features and logits. The result does not depend
    on the number of threads. A training that shares the cores with others has one.

    Two processes compute a pass each, and both compute the loss of the whole; batch statistics are
    those of a whole pass. More processes would have nothing to do.
    """

    def __init__(
        self,
        network: Classifier,
        method: Method,
        weights: list[nn.Parameter],
        dropout: float,
        device: torch.device,
        precision: Precision,
    ) -> None:
        self.network, self.method, self.weights, self.dropout = network, method, weights, dropout
        self._autocast = partial(autocast, device, precision)
        self._side_by_side = ParallelMap(2)

    def backward(self, source: Sample, target: Sample) -> tuple[Tensor, Numbers]:
        """Set `.grad` of all weights; returns the loss () and the method's numbers."""
        views = self.method.views(source, target)
        own = [index for index in (SOURCE, TARGET) if processes.is_own(index)]
        passes = list(zip((source, target), views, strict=True))
        computed = self._side_by_side(lambda index: self._forward(*passes[index]), own)
        batches = self._from_all((source, target), dict(zip(own, computed, strict=True)))
        leaves = [tensor.detach().requires_grad_() for b in batches for tensor in _outputs(b)]
        cut = [
            replace(batch, features=leaves[2 * k], logits=leaves[2 * k + 1])
            for k, batch in enumerate(batches)
        ]
        loss, numbers = self.method.loss(cut[0], cut[1])
        # The weights are inputs too: a method may have modules or forward passes of its own.
        gradients = torch.autograd.grad(loss, [*leaves, *self.weights], allow_unused=True)

        def backward_of(index: int) -> tuple[Tensor | None, ...]:
            return self._gradients(batches[index], gradients[2 * index : 2 * index + 2])

        per_batch = list(self._side_by_side(backward_of, own))
        totals = [
            _total(weight, parts) for weight, *parts in zip(self.weights, *per_batch, strict=True)
        ]
        processes.add_up(totals)
        for weight, total, part in zip(self.weights, totals, gradients[len(leaves) :], strict=True):
            weight.grad = total if part is None else total.add_(part)
        return loss.detach(), numbers

    def _forward(self, sample: Sample, views: Views) -> Batch:
        """Features and logits of the views."""
        with self._autocast():
            teacher_logits = self.method.teacher_logits(sample)
            features = self.network.joint_features(views, sample.domain)
        features = features.float()
        # Not nn.Dropout: two threads would draw from one stream, in any order.
        kept = torch.rand(features.shape, generator=sample.stream) >= self.dropout
        logits = self.network.head(
            features * kept.to(features, non_blocking=True) / (1 - self.dropout)
        )
        return Batch(
            **vars(sample), features=features, logits=logits, teacher_logits=teacher_logits
        )

    def _from_all(self, samples: Sequence[Sample], own: dict[int, Batch]) -> list[Batch]:
        """The batches of all passes, of which this process computed `own`."""
        if len(own) == len(samples):
            return list(own.values())
        return [self._from_owner(k, sample, own.get(k)) for k, sample in enumerate(samples)]

    def _from_owner(self, index: int, sample: Sample, batch: Batch | None) -> Batch:
        """The batch of a pass; elsewhere than in the process that computed it, without a graph.

        The statistics and the stream are afterwards as if the pass had been computed here.
        """
        statistics = self.network.extractor.statistics(sample.domain)
        sent: dict[str, Any] = {}
        if batch is not None:
            outputs = {name: getattr(batch, name) for name in _OUTPUTS}
            sent = {
                "outputs": {k: None if x is None else x.detach().cpu() for k, x in outputs.items()},
                "statistics": [values.cpu() for values in statistics],
                "stream": sample.stream.get_state(),
            }
        sent = processes.shared(sent, processes.owner(index))
        if batch is not None:
            return batch
        for here, there in zip(statistics, sent["statistics"], strict=True):
            here.data.copy_(there)  # of one domain, in a buffer that the graph of the other saved
        sample.stream.set_state(sent["stream"])
        device = sample.images.device
        outputs = {k: None if x is None else x.to(device) for k, x in sent["outputs"].items()}
        return Batch(**vars(sample), **outputs)

    def _gradients(
        self, batch: Batch, of_outputs: tuple[Tensor | None, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients of all weights, from those of a batch's features and logits."""
        used = [
            (output, gradient)
            for output, gradient in zip(_outputs(batch), of_outputs, strict=True)
            if gradient is not None
        ]
        if not used:
            return (None,) * len(self.weights)
        outputs, gradients = zip(*used, strict=True)
        return torch.autograd.grad(outputs, self.weights, gradients, allow_unused=True)


def _total(weight: Tensor, parts: Sequence[Tensor | None]) -> Tensor:
    """The sum, in the memory layout of the weight, which fused optimizers rely on unchecked."""
    terms = [part for part in parts if part is not None]
    total = torch.empty_like(weight)
    total = total.copy_(terms[0]) if terms else total.zero_()
    for part in terms[1:]:
        total += part
    return total


def _outputs(batch: Batch) -> tuple[Tensor, Tensor]:
    return batch.features, batch.logits


def _new_network(
    dann: params.Dann,
    training: Training,
    extractor: str,
    images: TrainingImages,
    device: torch.device,
) -> Classifier:
    with _GLOBAL_STREAM, rng.seeded_init(training.seed, "initial weights"):
        network = Classifier(dann.network, extractor)
    network.normalization.measure(images.source, SOURCE)
    network.normalization.measure(images.target, TARGET)
    return network.to(device).to(memory_format=torch.channels_last)

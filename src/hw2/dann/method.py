"""The interface of a domain adaptation method.

A method is a subclass of `Method` in a file of `hw2.dann.methods`. The training loop
(`hw2.dann.train`) reads the images, computes features and logits of their views and steps the
optimizers; the method turns a batch of each domain into a loss.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hw2.config import params
from hw2.dann.augmentations import strong
from hw2.dann.classifier import Classifier
from hw2.dann.pairs import Pair
from hw2.dann.recipe import Recipe
from hw2.training.ema import EMA
from hw2.training.loop import Number

SOURCE, TARGET = 0, 1
Numbers = dict[str, Number]
"""Numbers of a step by name; those of a GPU are not read in the step, because reading waits."""


Views = list[tuple[int, Tensor]]
"""Augmented images that pass the network together: groups (n, 3, 28, 28) of one domain each, with
the index of the domain."""


@dataclass(frozen=True)
class Sample:
    """The images of one domain in a step.

    Attributes:
        images: Float (N, 3, 28, 28) in [-1, 1], without augmentations.
        digits: Labels int64 (N,); None for an unlabeled target.
        domain: Index of the domain: 0 for the source, 1 for the target.
        stream: Random stream of these images, for all that is drawn on the CPU.
        progress: Fraction of the training's steps that are done, in [0, 1).
    """

    images: Tensor
    digits: Tensor | None
    domain: int
    stream: torch.Generator
    progress: float


@dataclass(frozen=True)
class Batch(Sample):
    """A sample and what the classifier computes from its views, M images.

    Attributes:
        features: Float (M, F), of the views, with gradient.
        logits: Float (M, 10), of the same features after dropout, with gradient.
        teacher_logits: Float (N, 10), the result of `Method.teacher_logits`.
    """

    features: Tensor
    logits: Tensor
    teacher_logits: Tensor | None


@dataclass(frozen=True)
class Setup:
    """What the training loop offers to a method.

    Attributes:
        network: The classifier in training.
        ema: The running average of its weights.
        augmentations: Section `dann.augmentations`.
    """

    network: Classifier
    ema: EMA
    augmentations: params.Augmentations


class Method(ABC):
    """How a classifier learns from labeled source images and unlabeled target images.

    Modules that a subclass creates in its constructor take their initial weights from the global
    random stream, which the seed decides.

    Args:
        setup: The classifier, its running average and the augmentations.
        hyperparameters: Section `dann.hyperparameters.<method>`.
    """

    def __init__(self, setup: Setup, hyperparameters: Any) -> None:
        self.setup, self.hyperparameters = setup, hyperparameters

    @classmethod
    def trained_on(cls, pair: Pair) -> Pair:
        """The domains of both batches, when the method is compared on `pair`.

        A method that reads a single domain is trained once for all pairs that share this domain.
        """
        return pair

    @classmethod
    def recipe(cls, train: params.DannTrain, hyperparameters: Any) -> Recipe:
        """Network, optimizers, learning rates and weight averaging."""
        return Recipe(train)

    @classmethod
    def batch_sizes(cls, batch_size: int) -> tuple[int, int]:
        """Numbers of images in both samples.

        Every step should cost as much as `batch_size` images forward and backward, where a forward
        pass alone counts a third.
        """
        return batch_size // 2, batch_size // 2

    def modules(self) -> dict[str, nn.Module]:
        """Modules besides the classifier that are trained or saved with it."""
        return {}

    def views(self, source: Sample, target: Sample) -> tuple[Views, Views]:
        """What goes through the network in the first pass and in the second one.

        The second index of statistics, with which target images are classified, is that of the
        second pass. By default each pass has a strong augmentation of one sample.
        """
        first, second = (
            [(sample.domain, strong(sample.images, self.setup.augmentations, sample.stream))]
            for sample in (source, target)
        )
        return first, second

    def teacher_logits(self, sample: Sample) -> Tensor | None:
        """Logits (N, 10) of a teacher, without gradient; None if the method has no teacher.

        The loop calls it before the classifier's forward pass and may do so for both samples at
        the same time, so that it must not change the method.
        """
        return None

    @abstractmethod
    def loss(self, source: Batch, target: Batch) -> tuple[Tensor, Numbers]:
        """The scalar loss of a step, and numbers for the history, without gradient.

        Among the numbers, `label` is the loss on labels and `domain` that of a domain classifier;
        any other name adds a column of its own.
        """

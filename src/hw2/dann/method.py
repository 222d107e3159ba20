"""The interface of a domain adaptation method.

A method is a subclass of `Method` in a file of `hw2.dann.methods`. The training loop
(`hw2.dann.train`) augments the images, computes features and logits and steps the optimizers; the
method turns a batch of each domain into a loss.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hw2.config import params
from hw2.dann.classifier import Classifier
from hw2.dann.recipe import Recipe
from hw2.training.ema import EMA

SOURCE, TARGET = 0, 1
Numbers = dict[str, float]


@dataclass(frozen=True)
class Batch:
    """The images of one domain in a step, and what the classifier computes from them.

    Attributes:
        images: Float (N, 3, 28, 28) in [-1, 1], without augmentations.
        digits: Labels int64 (N,); None for the target, except in a method that trains on it.
        domain: Index of the domain's normalization statistics: 0 for the source, 1 for the target.
        features: Float (N, F), of strongly augmented images, with gradient.
        logits: Float (N, 10), of the same features after dropout, with gradient.
        teacher_logits: Float (N, 10), the result of `Method.teacher_logits`.
        stream: Random stream of this batch, for what the method itself draws on the CPU.
        progress: Fraction of the training's steps that are done, in [0, 1).
    """

    images: Tensor
    digits: Tensor | None
    domain: int
    features: Tensor
    logits: Tensor
    teacher_logits: Tensor | None
    stream: torch.Generator
    progress: float


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

    A subclass sets `domains` when both batches are of one domain. Modules that it creates in its
    constructor take their initial weights from the global random stream, which the seed decides.

    Args:
        setup: The classifier, its running average and the augmentations.
        hyperparameters: Section `dann.hyperparameters.<method>`.
    """

    domains: ClassVar[tuple[int, int]] = (SOURCE, TARGET)
    """The domains whose images the first and the second batch hold."""

    def __init__(self, setup: Setup, hyperparameters: Any) -> None:
        self.setup, self.hyperparameters = setup, hyperparameters

    @classmethod
    def recipe(cls, train: params.DannTrain, hyperparameters: Any) -> Recipe:
        """Network, optimizers, learning rates and weight averaging."""
        return Recipe(train)

    def batch_sizes(self, batch_size: int) -> tuple[int, int]:
        """Numbers of images in both batches.

        Every step should cost as much as `batch_size` images forward and backward, where a forward
        pass alone counts a third.
        """
        return batch_size // 2, batch_size // 2

    def modules(self) -> dict[str, nn.Module]:
        """Modules besides the classifier that are trained or saved with it."""
        return {}

    def teacher_logits(self, images: Tensor, domain: int, stream: torch.Generator) -> Tensor | None:
        """Logits (N, 10) of a teacher, without gradient; None if the method has no teacher.

        The loop calls it before the classifier's forward pass and may do so for both batches at
        the same time, so that it must not change the method.
        """
        return None

    @abstractmethod
    def loss(self, source: Batch, target: Batch) -> tuple[Tensor, Numbers]:
        """The scalar loss of a step, and numbers for the history.

        Among the numbers, `label` is the loss on labels and `domain` that of a domain classifier;
        any other name adds a column of its own.
        """

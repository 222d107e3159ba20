"""Self-training with an averaged teacher, after AdaMatch (Berthelot et al., 2021)."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hw2.config import params
from hw2.dann import augmentations
from hw2.dann.method import SOURCE, Batch, Method, Numbers, Sample, Setup
from hw2.dann.prediction_means import PredictionMeans


class SelfTraining(Method):
    """A classifier that learns the confident labels of a teacher on target images.

    The teacher labels weakly augmented images, and the classifier learns from strong augmentations
    of the same images. Predictions are aligned with the source's mean prediction, and a label is
    confident above a fraction of the source's mean confidence (sections 3.2 and 3.3). Unlike in
    AdaMatch, the teacher is the averaged network (Tarvainen & Valpola, 2017), means run over steps
    because batches are small, the source has strong augmentations only, the weight rises linearly
    over the first half of the training, and logits are not interpolated.
    """

    def __init__(self, setup: Setup, hyperparameters: params.SelfTrainingHyperparameters) -> None:
        super().__init__(setup, hyperparameters)
        self.means = Means(hyperparameters.averaging)
        # Its tensors are those of `ema`, which changes and loads them in place.
        self.teacher = copy.deepcopy(setup.network).eval().requires_grad_(False)
        self.teacher.load_state_dict(setup.ema.weights, assign=True)

    @classmethod
    def batch_sizes(cls, batch_size: int) -> tuple[int, int]:
        """Half of `batch_size`, but 3/8 for the target, whose images the teacher reads as well."""
        return batch_size // 2, batch_size // 8 * 3

    def modules(self) -> dict[str, nn.Module]:
        """The running means."""
        return {"means": self.means}

    @torch.no_grad()
    def teacher_logits(self, sample: Sample) -> Tensor | None:
        """The averaged network's logits of weakly augmented target images."""
        if sample.domain == SOURCE:
            return None
        augmented = augmentations.weak(sample.images, self.setup.augmentations, sample.stream)
        logits: Tensor = self.teacher(augmented, sample.domain)
        return logits.float()

    def loss(self, source: Batch, target: Batch) -> tuple[Tensor, Numbers]:
        """Cross-entropy on source labels and on confident teacher labels."""
        assert source.digits is not None
        assert target.teacher_logits is not None
        label = F.cross_entropy(source.logits, source.digits)
        predictions = target.teacher_logits.softmax(1)
        digits, confident = self._pseudo_labels(predictions)
        losses = F.cross_entropy(target.logits, digits, reduction="none")
        pseudo_label = (losses * confident).mean()
        self.means.update(source.logits.detach().softmax(1), predictions)
        weight = self.hyperparameters.loss_weight * min(1.0, 2 * target.progress)
        numbers: Numbers = {
            "label": label.detach(),
            "pseudo_label": pseudo_label.detach(),
            "kept": confident.mean(),
            "strength": weight,
        }
        return label + weight * pseudo_label, numbers

    def _pseudo_labels(self, predictions: Tensor) -> tuple[Tensor, Tensor]:
        """The teacher's digits (N,), and 1 where they are confident, else 0: float (N,)."""
        confidence, digits = self.means.aligned(predictions).max(1)
        threshold = self.hyperparameters.confidence_threshold * self.means.confidence
        return digits, (confidence >= threshold).float()


class Means(PredictionMeans):
    """Running means of both domains' predictions and of the source's confidence.

    A step uses the means of the steps before it.
    """

    confidence: Tensor

    def __init__(self, averaging: float) -> None:
        super().__init__(averaging)
        self.register_buffer("confidence", torch.ones(()))

    def update(self, source: Tensor, target: Tensor) -> float:
        """Include the predictions (N, 10) of both domains; returns the fraction that was kept."""
        keep = super().update(source, target)
        self.confidence.lerp_(source.max(1).values.mean(), 1 - keep)
        return keep

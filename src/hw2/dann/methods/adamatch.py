"""AdaMatch (Berthelot et al., 2021, arXiv 2106.04732)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hw2.config import params
from hw2.dann import augmentations
from hw2.dann.method import SOURCE, TARGET, Batch, Method, Numbers, Sample, Setup, Views
from hw2.dann.prediction_means import PredictionMeans


class AdaMatch(Method):
    """A classifier that learns its own confident labels of target images.

    Two passes see the labeled source images X_SL, each in a weak view w and a strong view s. The
    joint pass also holds the target images X_TU, the other one does not, so that they differ in
    the statistics of their batch normalization (section 3):

        {Z'_SL, Z_TU} = f({X_SL,w, X_SL,s, X_TU,w, X_TU,s}),    Z''_SL = f({X_SL,w, X_SL,s})

    The joint pass updates the running statistics that target images are classified with.
    Hyperparameters are those of the paper. The pseudo-label is the digit of the largest aligned
    prediction, and mean predictions run over steps, as in the authors' code. Network, optimizer,
    weight averaging and views are those that all methods share.
    """

    def __init__(self, setup: Setup, hyperparameters: params.AdaMatchHyperparameters) -> None:
        super().__init__(setup, hyperparameters)
        self.means = PredictionMeans(hyperparameters.averaging)

    @classmethod
    def batch_sizes(cls, batch_size: int) -> tuple[int, int]:
        """An eighth from the source, which passes four times, and a quarter from the target."""
        return batch_size // 8, batch_size // 4

    def modules(self) -> dict[str, nn.Module]:
        """The running mean predictions."""
        return {"means": self.means}

    def views(self, source: Sample, target: Sample) -> tuple[Views, Views]:
        """Those of the pass with source images alone, and those of the joint pass."""
        labeled = [(SOURCE, view) for view in self._both(source)]
        return labeled, [*labeled, *((TARGET, view) for view in self._both(target))]

    def loss(self, source: Batch, target: Batch) -> tuple[Tensor, Numbers]:
        """L_source + mu(t) L_target (section 3).

        L_source is the mean cross-entropy of both views, L_target that of strong target views to
        the digits of their weak views where these are confident.
        """
        assert source.digits is not None
        unlabeled = (len(target.logits) - len(source.logits)) // 2
        joint, weak, strong = target.logits.split([len(source.logits), unlabeled, unlabeled])
        share = torch.rand(joint.shape, generator=source.stream).to(joint, non_blocking=True)
        source_weak, source_strong = interpolated(joint, source.logits, share).chunk(2)
        label = F.cross_entropy(source_weak, source.digits) / 2
        label = label + F.cross_entropy(source_strong, source.digits) / 2
        digits, confident = self._pseudo_labels(source_weak.detach(), weak.detach())
        losses = F.cross_entropy(strong, digits, reduction="none")
        pseudo_label = (losses * confident).mean()
        weight = self.hyperparameters.loss_weight * warm_up(target.progress)
        numbers: Numbers = {
            "label": label.detach(),
            "pseudo_label": pseudo_label.detach(),
            "kept": confident.mean(),
            "strength": weight,
        }
        return label + weight * pseudo_label, numbers

    def _both(self, sample: Sample) -> tuple[Tensor, Tensor]:
        """A weak and a strong view of the images."""
        chosen = self.setup.augmentations
        return (
            augmentations.weak(sample.images, chosen, sample.stream),
            augmentations.strong(sample.images, chosen, sample.stream),
        )

    def _pseudo_labels(self, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Digits (M,) of the target, and 1 where they are confident, else 0: float (M,).

        Distribution alignment: the prediction is multiplied by E[Y_SL,w] / E[Y_TU,w] and
        normalized. Relative threshold: it is confident at c_tau = tau times the mean of the
        largest predictions on the weak source views, or above.

        Args:
            source: Logits (N, 10) of the weak views of source images.
            target: Logits (M, 10) of the weak views of target images.
        """
        labeled, unlabeled = source.softmax(1), target.softmax(1)
        self.means.update(labeled, unlabeled)
        confidence, digits = self.means.aligned(unlabeled).max(1)
        threshold = self.hyperparameters.confidence_threshold * labeled.max(1).values.mean()
        return digits, (confidence >= threshold).float()


def interpolated(joint: Tensor, separate: Tensor, share: Tensor) -> Tensor:
    """Random logit interpolation: Z_SL = lambda Z'_SL + (1 - lambda) Z''_SL, all (N, 10).

    Args:
        joint: Logits Z'_SL of the joint pass.
        separate: Logits Z''_SL of the pass with source images alone.
        share: lambda, drawn for each logit from the uniform distribution on [0, 1].
    """
    return torch.lerp(separate, joint, share)


def warm_up(progress: float) -> float:
    """mu(t) = 1/2 - cos(min(pi, 2 pi t / T)) / 2: from 0 to 1 in the first half of the training.

    Args:
        progress: t / T, in [0, 1].
    """
    return 0.5 - math.cos(min(math.pi, 2 * math.pi * progress)) / 2

"""Zero-shot classification from image and class features."""

from dataclasses import dataclass

import numpy as np

TOP = 5


@dataclass(frozen=True)
class Predictions:
    """The predictions of a model for N images with one prompt set.

    Attributes:
        top: int (N, K), indices of the K = min(5, classes) most likely classes, best first.
        confidence: float (N, K), their softmax probabilities over all classes.
        labels: int (N,), the true classes.
    """

    top: np.ndarray
    confidence: np.ndarray
    labels: np.ndarray

    @property
    def correct(self) -> np.ndarray:
        """Whether the most likely class is the true one: bool (N,)."""
        return self.top[:, 0] == self.labels

    @property
    def correct_top5(self) -> np.ndarray:
        """Whether the true class is among the K most likely: bool (N,)."""
        return (self.top == self.labels[:, None]).any(1)

    def recalls(self) -> np.ndarray:
        """The recall of each class that has images: float (classes,)."""
        return np.array([self.correct[self.labels == k].mean() for k in np.unique(self.labels)])


def classify(
    images: np.ndarray, classes: np.ndarray, labels: np.ndarray, scale: float
) -> Predictions:
    """Zero-shot classification (Radford et al., 2021): softmax of `scale` times the cosines.

    Args:
        images: float32 (N, F), rows of length 1.
        classes: float32 (F, C), columns of length 1.
        labels: int (N,), true classes.
    """
    logits = scale * (images @ classes).astype(np.float64)
    k = min(TOP, logits.shape[1])
    top = np.argsort(-logits, axis=1, kind="stable")[:, :k]
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return Predictions(top, np.take_along_axis(shares, top, 1), labels)

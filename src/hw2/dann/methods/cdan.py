"""CDAN with entropy conditioning, CDAN+E (Long et al., 2018)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hw2.config.schema.dann_methods import CdanHyperparameters
from hw2.dann.gradient_reversal import reverse, schedule
from hw2.dann.method import Batch, Method, Numbers, Setup
from hw2.digits.labels import NUM_DIGITS
from hw2.models.feature_extractor import domain_head


class Cdan(Method):
    """CDAN+E: a domain classifier on the multilinear map of features and predictions.

    Confident images have more weight. Predictions are constants in the domain loss, as in the
    authors' code, so that the adversary acts on the features. The domain classifier has one hidden
    layer instead of the paper's two.
    """

    def __init__(self, setup: Setup, hyperparameters: CdanHyperparameters) -> None:
        super().__init__(setup, hyperparameters)
        self.map = MultilinearMap(
            setup.network.extractor.features,
            NUM_DIGITS,
            hyperparameters.max_dimensions,
            hyperparameters.random_dimensions,
        )
        self.head = domain_head(self.map.dimensions, hyperparameters.hidden_units)

    def modules(self) -> dict[str, nn.Module]:
        """The domain classifier and the map, whose random matrices are fixed."""
        return {"domain_head": self.head, "multilinear_map": self.map}

    def loss(self, source: Batch, target: Batch) -> tuple[Tensor, Numbers]:
        """Label loss plus conditional domain loss."""
        assert source.digits is not None
        strength = schedule(source.progress, self.hyperparameters.max_strength)
        label = F.cross_entropy(source.logits, source.digits)
        domain = (self._domain_loss(source, strength) + self._domain_loss(target, strength)) / 2
        numbers: Numbers = {
            "label": label.detach(),
            "domain": domain.detach(),
            "strength": strength,
        }
        return label + domain, numbers

    def _domain_loss(self, batch: Batch, strength: float) -> Tensor:
        predictions = batch.logits.detach().softmax(1)
        joint = self.map(reverse(batch.features, strength), predictions)
        logits = self.head(joint)[:, 0]
        truth = torch.full_like(logits, float(batch.domain))
        losses = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        weights = entropy_weights(predictions)
        return (weights * losses).sum() / weights.sum()


class MultilinearMap(nn.Module):
    """Outer product of features and predictions, or its random approximation when it is large.

    The randomized map is (R_f f) * (R_g g) / sqrt(d) with fixed Gaussian matrices.

    Args:
        features: Length F of a feature vector.
        classes: Number of classes C.
        max_dimensions: Largest F * C for which the exact map is used.
        random_dimensions: Output dimensions d of the randomized map.
    """

    of_features: Tensor
    of_predictions: Tensor

    def __init__(
        self, features: int, classes: int, max_dimensions: int, random_dimensions: int
    ) -> None:
        super().__init__()
        self.exact = features * classes <= max_dimensions
        self.dimensions = features * classes if self.exact else random_dimensions
        if not self.exact:
            self.register_buffer("of_features", _random_matrix(features, random_dimensions))
            self.register_buffer("of_predictions", _random_matrix(classes, random_dimensions))

    def forward(self, features: Tensor, predictions: Tensor) -> Tensor:
        """Features (N, F) and predictions (N, C) to (N, `dimensions`)."""
        if self.exact:
            return (predictions[:, :, None] * features[:, None, :]).flatten(1)
        product = (features @ self.of_features) * (predictions @ self.of_predictions)
        return product / math.sqrt(self.dimensions)


def _random_matrix(rows: int, columns: int) -> Tensor:
    """Standard normal (rows, columns), from the stream of the method's initial weights."""
    return nn.init.normal_(torch.empty(rows, columns))


def entropy_weights(predictions: Tensor) -> Tensor:
    """1 + exp(-H) for the entropy H of the predictions (N, C) for each image: (N,)."""
    entropy = torch.special.entr(predictions).sum(1)
    return 1 + torch.exp(-entropy)

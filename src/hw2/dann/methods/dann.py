"""DANN (Ganin et al., 2016) with a weaker adversary and entropy minimization."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hw2.config import params
from hw2.dann.gradient_reversal import reverse, schedule
from hw2.dann.method import Batch, Method, Numbers, Setup
from hw2.models.feature_extractor import domain_head


class Dann(Method):
    """Adversarial training of the feature extractor (Ganin et al., 2016, equation 9).

    A domain classifier learns to separate the domains' features, and the feature extractor learns
    the reverse. `entropy_weight` is not in the paper: it weighs the mean entropy of the target's
    predictions (Grandvalet & Bengio, 2005) and grows linearly with the training's progress.
    """

    def __init__(
        self,
        setup: Setup,
        hyperparameters: params.DannHyperparameters | params.DannPaperHyperparameters,
    ) -> None:
        super().__init__(setup, hyperparameters)
        self.head = domain_head(setup.network.extractor.features, hyperparameters.hidden_units)

    def modules(self) -> dict[str, nn.Module]:
        """The domain classifier."""
        return {"domain_head": self.head}

    def loss(self, source: Batch, target: Batch) -> tuple[Tensor, Numbers]:
        """Label loss, domain loss and weighted entropy."""
        assert source.digits is not None
        strength = schedule(source.progress, self.hyperparameters.max_strength)
        label = F.cross_entropy(source.logits, source.digits)
        domain = self._domain_loss(source, strength) + self._domain_loss(target, strength)
        numbers: Numbers = {
            "label": label.detach(),
            "domain": domain.detach(),
            "strength": strength,
        }
        return label + domain + self.entropy_loss(target), numbers

    def entropy_loss(self, target: Batch) -> Tensor:
        """The weighted mean entropy of the target's predictions."""
        entropy = -(target.logits.softmax(1) * target.logits.log_softmax(1)).sum(1).mean()
        return self.hyperparameters.entropy_weight * target.progress * entropy

    def _domain_loss(self, batch: Batch, strength: float) -> Tensor:
        logits = self.head(reverse(batch.features, strength))[:, 0]
        truth = torch.full_like(logits, float(batch.domain))
        return F.binary_cross_entropy_with_logits(logits, truth) / 2

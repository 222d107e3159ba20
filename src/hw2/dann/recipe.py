"""How the classifier of a method is optimized: network, optimizers, learning rates, averaging."""

from torch import nn

from hw2.config import params
from hw2.dann.classifier import Classifier
from hw2.training.optimizers import ScheduledOptimizers, adamw_and_muon, half_cosine


class Recipe:
    """The recipe that methods share unless they override `Method.recipe`.

    Attributes:
        extractor: Kind of feature extractor, `shared` or `ganin`.
        ema_decay: Decay of the averaged weights.
    """

    def __init__(self, train: params.DannTrain) -> None:
        self.train = train
        self.extractor = "shared"
        self.ema_decay = train.ema_decay

    def optimizers(self, network: Classifier, weights: list[nn.Parameter]) -> ScheduledOptimizers:
        """Optimizers of `weights`: Muon for the inner convolutions, AdamW for the others."""
        train = self.train
        return adamw_and_muon(
            weights,
            network.extractor.inner_weights(),
            lr=train.lr,
            muon_lr=train.muon_lr,
            weight_decay=train.weight_decay,
        )

    def rate(self, step: int) -> float:
        """Factor of the peak learning rates at a step: linear warm-up, then half a cosine."""
        train = self.train
        return half_cosine(step, train.steps, warmup_fraction=train.warmup_fraction)

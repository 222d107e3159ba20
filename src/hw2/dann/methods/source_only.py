"""Supervised training on the source alone: what adaptation is compared with."""

from torch import Tensor
from torch.nn import functional as F

from hw2.dann.method import SOURCE, Batch, Method, Numbers


class SourceOnly(Method):
    """Cross-entropy on source labels.

    Both batches are source images, so that both domains' normalization statistics are those of the
    source.
    """

    domains = (SOURCE, SOURCE)

    def loss(self, source: Batch, target: Batch) -> tuple[Tensor, Numbers]:
        """The mean cross-entropy of both batches."""
        assert source.digits is not None
        assert target.digits is not None
        first = F.cross_entropy(source.logits, source.digits) / 2
        second = F.cross_entropy(target.logits, target.digits) / 2
        label = first + second
        return label, {"label": label.item()}

"""Supervised training on the source alone: what adaptation is compared with."""

from torch import Tensor
from torch.nn import functional as F

from hw2.dann.method import Batch, Method, Numbers
from hw2.dann.pairs import Pair


class SourceOnly(Method):
    """Cross-entropy on source labels.

    Both batches are source images, so that nothing of the target is read: both domains'
    normalization statistics are those of the source.
    """

    @classmethod
    def trained_on(cls, pair: Pair) -> Pair:
        """The source alone, which pairs with different targets share."""
        return Pair(pair.source, pair.source)

    def loss(self, source: Batch, target: Batch) -> tuple[Tensor, Numbers]:
        """The mean cross-entropy of both batches."""
        assert source.digits is not None
        assert target.digits is not None
        first = F.cross_entropy(source.logits, source.digits) / 2
        second = F.cross_entropy(target.logits, target.digits) / 2
        label = first + second
        return label, {"label": label.detach()}

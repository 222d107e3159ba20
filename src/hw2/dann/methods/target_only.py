"""Supervised training on target labels: the reference that no adaptation method may use."""

from hw2.dann.methods.source_only import SourceOnly
from hw2.dann.pairs import Pair


class TargetOnly(SourceOnly):
    """Cross-entropy on target labels; both batches are target images."""

    @classmethod
    def trained_on(cls, pair: Pair) -> Pair:
        """The target alone, which pairs with different sources share."""
        return Pair(pair.target, pair.target)

"""Supervised training on target labels: the reference that no adaptation method may use."""

from hw2.dann.method import TARGET
from hw2.dann.methods.source_only import SourceOnly


class TargetOnly(SourceOnly):
    """Cross-entropy on target labels; both batches are target images."""

    domains = (TARGET, TARGET)

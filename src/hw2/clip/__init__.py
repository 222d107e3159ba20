"""CLIP: a small model that is trained from scratch, and zero-shot classification with any model."""

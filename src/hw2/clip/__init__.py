"""CLIP: a small one trained from nothing, and zero-shot classification with any."""

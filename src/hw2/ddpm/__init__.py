"""The conditional DDPM: training, its checkpoint, and sampling digits from it."""

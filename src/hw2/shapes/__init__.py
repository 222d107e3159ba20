"""Synthetic images of shapes with captions, for the small CLIP and Stable Diffusion."""

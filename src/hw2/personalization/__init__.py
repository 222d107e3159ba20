"""Personalization of Stable Diffusion: textual inversion, multi-concept methods, grading."""

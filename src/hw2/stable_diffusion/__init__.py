"""Stable Diffusion: training the small one, loading any, sampling, measuring prompt alignment."""

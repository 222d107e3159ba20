"""Stable Diffusion: training of a small model, loading of any, sampling, prompt alignment."""

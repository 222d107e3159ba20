"""Denoising diffusion on tensors: schedule, guidance, samplers. No files, no configuration."""

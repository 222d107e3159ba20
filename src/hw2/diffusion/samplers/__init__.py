"""Samplers of a diffusion model: one loop, a file for each step rule, a registry of names."""

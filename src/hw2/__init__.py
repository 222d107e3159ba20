"""Homework 2 of NTU's Deep Learning for Computer Vision as a DVC and Snakemake pipeline.

Capabilities, each with parameters, stages and figures of the same name:
    ddpm                 conditional diffusion of digits with classifier-free guidance
    dann                 domain adaptation of a digit classifier
    faces                DDIM on faces: eta, steps, interpolation
    clip                 zero-shot classification
    stable_diffusion     the text-to-image model that is personalized
    personalization      textual inversion and multi-concept methods

What they are made of: digits and shapes (data), models (networks), diffusion (maths on tensors),
training, evaluation.

What runs them: stages (for the DAG), commands and cli (for people), figures (the report);
pipeline, config, io and runtime below them. docs/architecture.md says who imports whom.
"""

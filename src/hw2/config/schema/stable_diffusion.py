"""Section of params.yaml: Stable Diffusion, the model that is personalized."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, Strict

from hw2.config.loader import Section
from hw2.config.schema.denoising import Train
from hw2.config.schema.ranges import Fraction, Seed


class Latent(Section):
    """Autoencoder by principal components, for the model trained here."""

    channels: int = Field(
        ge=1,
        le=48,
        description=(
            "Principal components of a patch. More keep more detail and are harder to learn."
        ),
    )
    patch_size: Literal[2, 4] = Field(
        description="Side in pixels of the square that becomes one latent vector."
    )
    whitening: Fraction = Field(
        description=(
            "0 keeps the variances of the components, so that large shapes are learned "
            "first; 1 makes them equal."
        )
    )


class StableDiffusionNetwork(Section):
    """UNet2DConditionModel, for the model trained here."""

    base_channels: int = Field(
        ge=8,
        le=320,
        multiple_of=8,
        description="Channels of the finest level. The cost grows with its square.",
    )
    channel_mult: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=1,
        max_length=4,
        description="Channels of each level, as multiples of `base_channels`.",
    )
    heads: int = Field(ge=1, le=16, description="Heads of each attention layer.")


class StableDiffusion(Section):
    """Stable Diffusion model that is personalized."""

    seed: Seed
    weights: str = Field(
        min_length=1,
        description=(
            "trained (the small model that the pipeline trains), a diffusers folder, a hub "
            "id, or a .ckpt of CompVis such as sd-v1-4.ckpt."
        ),
    )
    revision: str | None = Field(
        description="Commit of a hub id, which keeps the model the same; null takes the newest."
    )
    config: str | None = Field(
        description=(
            "Diffusers folder or hub id with the configuration of a .ckpt; null is that "
            "of Stable Diffusion v1."
        )
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        description=(
            "Precision of frozen weights on a GPU. auto is bf16 where it is supported; a "
            "CPU uses fp32."
        )
    )
    latent: Latent
    network: StableDiffusionNetwork
    train: Train


def conflicts(stable_diffusion: StableDiffusion) -> Iterator[str]:
    """Invalid combinations of values that are valid individually."""
    train = stable_diffusion.train
    if stable_diffusion.weights == "trained" and train.warmup_steps >= train.steps:
        yield (
            f"stable_diffusion.train.warmup_steps: {train.warmup_steps} is not less than"
            f" stable_diffusion.train.steps, {train.steps}"
        )

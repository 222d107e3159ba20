"""Section of params.yaml: Stable Diffusion, the model that is personalized."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict

from hw2.config.loader import Section
from hw2.config.schema.denoising import Train
from hw2.config.schema.locations import UserPath
from hw2.config.schema.ranges import Fraction, NonNegative, RandomStreams, Seed


class Autoencoder(Section):
    """AutoencoderKL of the model trained here, and its training."""

    channels: Annotated[tuple[Annotated[int, Field(ge=8, multiple_of=8)], ...], Strict(False)] = (
        Field(
            min_length=2,
            max_length=4,
            description="Channels of each level. Each level after the first halves the size.",
        )
    )
    latent_channels: int = Field(
        ge=1,
        le=32,
        description="Channels of the latents. More keep more detail and are harder to generate.",
    )
    kl_weight: NonNegative = Field(
        description="Weight of the KL divergence of the latents from a normal distribution."
    )
    images: PositiveInt = Field(
        description="Images that it learns from, the first of `shapes.train_images`."
    )
    steps: PositiveInt = Field(description="Optimizer steps. More give sharper images.")
    batch_size: PositiveInt = Field(description="Images in a step.")
    microbatches: PositiveInt = Field(
        description="Parts of a batch, each on its own CPU thread. Use 1 on a GPU."
    )
    lr: PositiveFloat = Field(
        description="Peak learning rate of AdamW. Lower it when the loss jumps."
    )
    muon_lr: NonNegative = Field(
        description="Learning rate of Muon for inner convolutions. 0 trains all with AdamW."
    )
    ema_decay: Fraction = Field(
        description="Decay of the averaged weights, over about 1 / (1 - decay) steps."
    )
    random_streams: RandomStreams
    save_every: PositiveInt = Field(
        description="Steps between checkpoints, the most that an interruption can lose."
    )


class StableDiffusionNetwork(Section):
    """UNet2DConditionModel of the model trained here; all levels but the finest have attention."""

    base_channels: int = Field(
        ge=8,
        le=320,
        multiple_of=8,
        description="Channels of the finest level. The cost grows with its square.",
    )
    channel_mult: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=2,
        max_length=4,
        description="Channels of each level, as multiples of `base_channels`.",
    )
    heads: int = Field(ge=1, le=16, description="Heads of each attention layer.")


class StableDiffusion(Section):
    """Stable Diffusion model that is personalized."""

    seed: Seed
    weights: UserPath = Field(
        min_length=1,
        description=(
            "trained (the small model that the pipeline trains), a diffusers folder, a hub "
            "id, or a .ckpt of CompVis such as sd-v1-4.ckpt."
        ),
    )
    revision: str | None = Field(
        description="Commit of a hub id, which keeps the model the same; null takes the newest."
    )
    config: UserPath | None = Field(
        description=(
            "Diffusers folder or hub id with the configuration of a .ckpt; null is that "
            "of Stable Diffusion v1."
        )
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        description=(
            "Precision of the U-Net. auto is bf16 on processors with AMX and on GPUs that compute "
            "it, otherwise fp32 on a CPU and fp16 on a GPU."
        )
    )
    autoencoder: Autoencoder
    network: StableDiffusionNetwork
    other_images: Fraction = Field(
        description=(
            "Share of the training images that the U-Net learns from, apart from those of a single "
            "object that a noun names, which it all sees. Nouns take the longest to learn."
        )
    )
    train: Train


def conflicts(stable_diffusion: StableDiffusion) -> Iterator[str]:
    """Invalid combinations of values that are valid individually."""
    train = stable_diffusion.train
    if stable_diffusion.weights == "trained" and train.warmup_steps >= train.steps:
        yield (
            f"stable_diffusion.train.warmup_steps: {train.warmup_steps} is not less than"
            f" stable_diffusion.train.steps, {train.steps}"
        )

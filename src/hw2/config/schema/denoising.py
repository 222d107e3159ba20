"""Sections of params.yaml that several diffusion models share: network, diffusion, training."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict

from hw2.config.choices import Precision
from hw2.config.loader import Section
from hw2.config.schema.ranges import Fraction, NonNegative, RandomStreams


class UNetShape(Section):
    """Denoising U-Net."""

    base_channels: int = Field(
        ge=4, le=1024, description="Channels of the finest level. The cost grows with its square."
    )
    channel_mult: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=1,
        max_length=4,
        description=(
            "Channels of each level, as multiples of `base_channels`. A longer list makes a "
            "deeper network."
        ),
    )
    num_res_blocks: int = Field(ge=1, le=8, description="Residual blocks of each level.")


class Diffusion(Section):
    """Diffusion process."""

    timesteps: int = Field(
        ge=2, le=10_000, description="Number of noise levels T. The course suggests 400 to 1000."
    )
    schedule: Literal["linear", "cosine"] = Field(
        description=(
            "Schedule of the signal share alpha_bar over t. DDPM's original schedule is linear."
        )
    )
    prediction: Literal["x0", "eps", "v"] = Field(
        description=(
            "Quantity that the network predicts: the clean image x0, the noise eps, or v. v is "
            "stable with few steps; x0 suits a narrow network, which cannot carry the noise."
        )
    )


class Denoising(Section):
    """Training of a diffusion model."""

    steps: PositiveInt = Field(
        description="Optimizer steps. Quality improves until late in training; do not stop early."
    )
    batch_size: PositiveInt = Field(description="Images in a step.")
    microbatches: int = Field(
        ge=1, le=64, description="Parts of a batch, each on its own CPU thread. Use 1 on a GPU."
    )
    lr: PositiveFloat = Field(
        le=1, description="Peak learning rate of AdamW. Lower it when the loss jumps."
    )
    muon_lr: NonNegative = Field(
        le=1,
        description="Learning rate of Muon for weight matrices. 0 trains everything with AdamW.",
    )
    weight_decay: NonNegative = Field(
        le=1, description="Decoupled weight decay. It rarely helps a diffusion model."
    )
    warmup_steps: int = Field(
        ge=0,
        description=(
            "Steps in which the learning rate rises linearly. Use more when the first losses jump."
        ),
    )
    decay_start: Fraction = Field(
        description=(
            "Fraction of the steps after which the learning rate falls linearly; 1 "
            "disables the decay."
        )
    )
    grad_clip: PositiveFloat = Field(
        description="Largest norm of the gradient. Lower it when single steps spoil the loss."
    )
    ema_decay: float = Field(
        ge=0,
        lt=1,
        description=(
            "Decay of the averaged weights, over about 1 / (1 - decay) steps. Raise it "
            "with the number of steps."
        ),
    )
    precision: Precision = Field(
        description=(
            "Precision of the forward pass. auto is bf16 on a GPU and on processors with AMX, "
            "which compute it twice as fast, otherwise fp32. A GPU that only emulates bf16 "
            "computes fp16 instead; fp32 is TF32 on a GPU."
        )
    )
    channels_last: bool = Field(
        description=(
            "Memory format of the images. true makes convolutions faster and does not "
            "change results."
        )
    )
    compile: bool = Field(
        description=(
            "Use torch.compile. It takes a minute to start and pays off in long runs on a GPU."
        )
    )
    random_streams: RandomStreams
    save_every: PositiveInt = Field(
        description="Steps between checkpoints, the most that an interruption can lose."
    )


class Train(Denoising):
    """Training of a conditional diffusion model."""

    p_uncond: Fraction = Field(
        description=(
            "Fraction of conditions that are dropped. Classifier-free guidance needs some."
        )
    )

"""Sections of params.yaml that several diffusion models share."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict

from hw2.config.loader import Section
from hw2.config.schema.ranges import Fraction, NonNegative


class UNetShape(Section):
    """Our own noise predictor."""

    base: int = Field(ge=4, le=1024, description="channels of the finest level")
    mult: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=1, max_length=4, description="channels of each level, in units of base"
    )
    blocks: int = Field(ge=1, le=8, description="residual blocks of a level")
    patch: Literal[1, 2, 4] = Field(description="pixels folded into channels before the network")


class Diffusion(Section):
    """The noise process that is learnt."""

    timesteps: int = Field(ge=2, le=10_000, description="noise levels T")
    schedule: Literal["linear", "cosine"] = Field(description="how abar falls with t")
    prediction: Literal["eps", "v"] = Field(description="what the network predicts")


class Denoising(Section):
    """The training loop of a diffusion model."""

    steps: PositiveInt = Field(description="optimizer steps")
    batch: PositiveInt = Field(description="images of a step")
    shards: int = Field(ge=1, le=64, description="parts of a batch that CPU threads take")
    lr: PositiveFloat = Field(le=1, description="peak learning rate of AdamW")
    muon_lr: NonNegative = Field(le=1, description="Muon's, for matrices; 0: AdamW only")
    weight_decay: NonNegative = Field(le=1, description="decoupled decay")
    warmup: int = Field(ge=0, description="steps of linear warm-up")
    decay_from: Fraction = Field(description="share of the steps after which the rate decays")
    grad_clip: PositiveFloat = Field(description="largest norm of the gradient")
    ema: float = Field(ge=0, lt=1, description="decay of the averaged weights of a step")
    precision: Literal["fp32", "bf16"] = Field(description="of the forward pass")
    channels_last: bool = Field(description="memory format of the images")
    compile: bool = Field(description="torch.compile; a minute to start")
    save_every: PositiveInt = Field(description="steps between resume files")


class Train(Denoising):
    """The training loop of a conditional diffusion model."""

    p_uncond: Fraction = Field(description="share of conditions dropped, for guidance")

"""The sections of params.yaml on the conditional DDPM and its sampling."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, Strict, field_validator

from hw2.config.loader import Section
from hw2.config.schema.denoising import Diffusion, Train, UNetShape
from hw2.config.schema.ranges import Fraction, Seed, once

Domain = Literal["mnistm", "svhn"]
Sampler = Literal["ddpm", "ddim", "dpmpp"]
Weight = Annotated[float, Field(ge=-1, le=50)]
Weights = Annotated[tuple[Weight, ...], Strict(False), Field(min_length=1)]


class Network(UNetShape):
    """The noise predictor of digits."""

    kind: Literal["unet", "context_unet"] = Field(description="ours, or the well-known small one")
    n_feat: int = Field(ge=4, le=1024, description="channels of context_unet")


class Ddpm(Section):
    """The conditional diffusion model."""

    seed: Seed
    domains: Annotated[tuple[Domain, ...], Strict(False)] = Field(
        min_length=1, description="domains to generate"
    )
    network: Network
    diffusion: Diffusion
    train: Train

    _domains_once = field_validator("domains")(once)


class Sampling(Section):
    """How images are drawn from the trained model."""

    seed: Seed
    sampler: Sampler = Field(description="ancestral, DDIM or DPM-Solver++")
    steps: PositiveInt = Field(description="noise levels visited, at most diffusion.timesteps")
    eta: Fraction = Field(description="fresh noise of DDIM: 0 none, 1 as ancestral")
    batch: PositiveInt = Field(description="images at a time; it does not change them")
    images_per_label: PositiveInt = Field(description="images of each digit of each domain")


class Guidance(Section):
    """Classifier-free guidance."""

    convention: Literal["ho-salimans", "scale"] = Field(
        description="weight 0 is none in ho-salimans, 1 is none in scale (= 1 + w)"
    )
    weight: Weight | Literal["select"] = Field(
        description="a number, or select: the best candidate on the val split"
    )
    candidates: Weights = Field(description="weights to select from")
    images_per_label: int = Field(ge=3, description="of a candidate; diversity needs three")
    least_variety: Fraction = Field(
        description="of a candidate, as a share of the real images'; 0 to go by accuracy alone"
    )


class Sweep(Section):
    """The comparison of samplers, numbers of steps and guidance weights."""

    weights: Weights = Field(description="guidance weights")
    images_per_label: int = Field(ge=3, description="images of a label; diversity needs three")
    samplers: Annotated[tuple[Sampler, ...], Strict(False)] = Field(min_length=1)
    steps: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=1, description="steps of each sampler, at most diffusion.timesteps"
    )


class Ablation(Section):
    """The model that is trained without condition dropout."""

    run: bool = Field(description="it takes as long as the main run")
    images_per_label: PositiveInt = Field(description="images of a label")


def conflicts(ddpm: Ddpm, sampling: Sampling, guidance: Guidance, sweep: Sweep) -> Iterator[str]:
    """Values that are allowed alone but not together."""
    levels = ddpm.diffusion.timesteps
    limit = f"more than ddpm.diffusion.timesteps = {levels}"
    if sampling.steps > levels:
        yield f"sampling.steps: {sampling.steps} is {limit}"
    for place, steps in enumerate(sweep.steps):
        if steps > levels:
            yield f"sweep.steps.{place}: {steps} is {limit}"
    network = ddpm.network
    cells = 28 // network.patch
    if cells % 2 ** (len(network.mult) - 1):
        yield f"ddpm.network.mult: {cells} cells of 28 pixels cannot be halved at every level"
    train = ddpm.train
    if train.shards > 1 and network.kind == "context_unet":
        yield f"ddpm.train.shards: {train.shards} does not go with BatchNorm; write 1"
    if train.warmup >= train.steps:
        yield f"ddpm.train.warmup: {train.warmup} is not less than steps = {train.steps}"
    unguided = 0.0 if guidance.convention == "ho-salimans" else 1.0
    if train.p_uncond == 0 and guidance.weight != unguided:
        yield "ddpm.train.p_uncond: 0 leaves nothing to guide with; write 0.1 or so"

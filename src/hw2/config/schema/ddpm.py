"""Sections of params.yaml: the conditional DDPM and its sampling."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict, field_validator

from hw2.config.choices import GeneratedDomain, SamplerName
from hw2.config.loader import Section
from hw2.config.schema.denoising import Diffusion, Train, UNetShape
from hw2.config.schema.ranges import Fraction, Seed, once

GuidanceScale = Annotated[float, Field(ge=0, le=51)]
GuidanceScales = Annotated[tuple[GuidanceScale, ...], Strict(False), Field(min_length=1)]
GuidanceInterval = Annotated[tuple[Fraction, Fraction], Strict(False)]
GuidanceIntervals = Annotated[tuple[GuidanceInterval, ...], Strict(False), Field(min_length=1)]
UNGUIDED = 1.0  # the scale without guidance; see hw2.diffusion.guidance


class Network(UNetShape):
    """Denoising network of digit images."""

    kind: Literal["unet", "context_unet"] = Field(
        description=(
            "Network architecture. context_unet is the widely used small network, much "
            "slower on a CPU."
        )
    )
    patch_size: Literal[1, 2, 4] = Field(
        description=(
            "Side of the square of pixels that is folded into channels. 2 takes a quarter "
            "of the time of 1."
        )
    )
    n_feat: int = Field(ge=4, le=1024, description="Channels of context_unet; ignored by unet.")


class DdpmTrain(Train):
    """Training of the conditional DDPM."""

    timestep_distribution: Literal["uniform", "logit_normal"] = Field(
        description=(
            "How often each noise level is visited. uniform is DDPM's; logit_normal visits the "
            "middle more often, where the digit is decided, and needs far fewer steps."
        )
    )
    logit_mean: float = Field(
        ge=-5,
        le=5,
        description=(
            "Mean of the logit of t / T of logit_normal. Above 0, noisy images are visited more "
            "often than clean ones."
        ),
    )
    logit_std: PositiveFloat = Field(
        le=10, description="Standard deviation of the logit of t / T of logit_normal."
    )


class Sampling(Section):
    """Sampling from the trained model."""

    seed: Seed
    sampler: SamplerName = Field(
        description=(
            "Sampler: ddpm (ancestral), ddim, heun, or dpmpp (DPM-Solver++), which needs the "
            "fewest steps."
        )
    )
    steps: PositiveInt = Field(
        description=(
            "Noise levels visited, at most diffusion.timesteps. More is slower and, "
            "beyond some point, no better."
        )
    )
    spacing_exponent: float = Field(
        ge=1,
        description=(
            "Spacing of the noise levels: 1 is even, above 1 visits more noisy ones, which decide "
            "how light an image is."
        ),
    )
    eta: Fraction = Field(
        description="Fresh noise of DDIM: 0 adds none, 1 as much as the ancestral sampler."
    )
    batch_size: PositiveInt = Field(
        description=(
            "Images sampled at a time. Lower it when memory is short; the images do not change."
        )
    )
    images_per_label: PositiveInt = Field(
        description="Images of each digit of each domain. The homework requires 50."
    )


class Guidance(Section):
    """Classifier-free guidance. A scale of 1 is no guidance."""

    scale: GuidanceScale | Literal["auto"] = Field(
        description=(
            "Guidance scale: a number, or auto to choose the best candidate on the val split."
        )
    )
    candidates: GuidanceScales = Field(description="Guidance scales to choose from.")
    images_per_label: int = Field(
        ge=3,
        description=("Images of each label for each candidate. More makes the choice steadier."),
    )
    intervals: GuidanceIntervals = Field(
        description=(
            "Noise levels at which guidance applies, from and to, as fractions of "
            "diffusion.timesteps: intervals to choose from. A scale that is set uses the first."
        )
    )
    color: Fraction = Field(
        description=(
            "Share of guidance that may change colors: 1 is the usual rule, 0 guides the gray "
            "value alone, so that colors do not become too vivid."
        )
    )


class Sweep(Section):
    """Comparison of samplers, numbers of steps and guidance scales."""

    scales: GuidanceScales = Field(
        description="Guidance scales that are compared. They must include 1, which is no guidance."
    )
    images_per_label: int = Field(ge=3, description="Images of each label for each setting.")
    samplers: Annotated[tuple[SamplerName, ...], Strict(False)] = Field(
        min_length=1, description="Samplers that are compared."
    )
    steps: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=1,
        description=(
            "Numbers of steps of each sampler, at most diffusion.timesteps. Guidance doubles "
            "the network calls, and so does Heun's method."
        ),
    )


class Ablation(Section):
    """Model without condition dropout, for comparison."""

    run: bool = Field(
        description=(
            "Also train a model without condition dropout. It takes as long as the main model."
        )
    )
    images_per_label: PositiveInt = Field(
        description="Images of each label of the model without condition dropout."
    )


class Ddpm(Section):
    """Conditional DDPM of digits."""

    seed: Seed
    domains: Annotated[tuple[GeneratedDomain, ...], Strict(False)] = Field(
        min_length=1,
        description="Digit domains to generate. Leave one out to train on a single domain.",
    )
    network: Network
    diffusion: Diffusion
    train: DdpmTrain
    sampling: Sampling
    guidance: Guidance
    sweep: Sweep
    ablation: Ablation

    _domains_once = field_validator("domains")(once)


def conflicts(ddpm: Ddpm) -> Iterator[str]:
    """Invalid combinations of values that are valid individually."""
    sampling, guidance, sweep = ddpm.sampling, ddpm.guidance, ddpm.sweep
    levels = ddpm.diffusion.timesteps
    limit = f"more than ddpm.diffusion.timesteps = {levels}"
    if sampling.steps > levels:
        yield f"ddpm.sampling.steps: {sampling.steps} is {limit}"
    for index, steps in enumerate(sweep.steps):
        if steps > levels:
            yield f"ddpm.sweep.steps.{index}: {steps} is {limit}"
    network = ddpm.network
    cells = 28 // network.patch_size
    if cells % 2 ** (len(network.channel_mult) - 1):
        yield (
            f"ddpm.network.channel_mult: an image of {cells}x{cells} patches cannot be halved at "
            "every level; shorten the list"
        )
    train = ddpm.train
    if train.microbatches > 1 and network.kind == "context_unet":
        yield f"ddpm.train.microbatches: {train.microbatches} does not go with BatchNorm; write 1"
    if train.warmup_steps >= train.steps:
        yield f"ddpm.train.warmup_steps: {train.warmup_steps} is not below steps = {train.steps}"
    if UNGUIDED not in sweep.scales:
        yield f"ddpm.sweep.scales: {UNGUIDED:g}, which is no guidance, is missing; add it"
    for index, (lowest, highest) in enumerate(guidance.intervals):
        if lowest >= highest:
            yield f"ddpm.guidance.intervals.{index}: {lowest:g} is not below {highest:g}"
    if train.p_uncond == 0 and guidance.scale != UNGUIDED:
        yield "ddpm.train.p_uncond: 0 leaves nothing to guide with; write 0.1 or so"

"""The section of params.yaml on domain adaptation."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict, StringConstraints, field_validator

from hw2.config.loader import Section
from hw2.config.schema.ranges import Fraction, NonNegative, Seed, once

Method = Literal["source_only", "dann", "dann_tuned", "strong", "target_only"]
Pair = Annotated[str, StringConstraints(pattern=r"^([a-z]+)->([a-z]+)$")]


class AdaptationNetwork(Section):
    """The classifier of the adaptation rows."""

    width: int = Field(ge=4, le=512, description="channels of the first convolution")
    dropout: float = Field(ge=0, lt=1, description="share of dropped features")
    input: Literal["instance", "domain"] = Field(
        description="pixels in units of the image's own spread, or of its domain's"
    )


class Views(Section):
    """Random views of a training image; every row of the table has the same."""

    turn: float = Field(ge=0, le=180, description="largest angle, degrees")
    scale: float = Field(ge=0, lt=1, description="largest change of size, a share")
    shear: NonNegative = Field(le=2, description="largest shear, a slope")
    shift: NonNegative = Field(le=14, description="largest shift, pixels")
    contrast: Fraction = Field(description="largest change of contrast, a share")
    brightness: NonNegative = Field(le=2, description="largest shift; black to white is 2")
    tint: Fraction = Field(description="the same two, of each channel by itself")
    invert: Fraction = Field(description="share of images as negatives")
    grey: Fraction = Field(description="share of images without colour")
    blur: Fraction = Field(description="share of blurred images")
    cutout: int = Field(ge=0, le=28, description="side of the hole, pixels; 0: none")
    weak: Fraction = Field(description="share of the affine amounts in a weak view")


class AdaptationTrain(Section):
    """The training loop of every row, but for the rates of the faithful DANN."""

    steps: PositiveInt = Field(description="optimizer steps")
    batch: int = Field(ge=8, multiple_of=8, description="images of a step")
    lr: PositiveFloat = Field(le=1, description="peak learning rate of AdamW")
    muon_lr: NonNegative = Field(le=1, description="Muon's, for inner convolutions; 0: AdamW only")
    weight_decay: NonNegative = Field(le=1, description="decoupled decay")
    warmup: Fraction = Field(description="share of the steps in which the rate rises")
    ema: float = Field(ge=0, lt=1, description="decay of the averaged weights of a step")
    save_every: PositiveInt = Field(description="steps between resume files")


class FaithfulDann(Section):
    """DANN as Ganin et al. (2016) trained it."""

    network: Literal["shared", "ganin"] = Field(description="that of all rows, or the paper's")
    lr: PositiveFloat = Field(le=1, description="first learning rate mu_0 of SGD")
    momentum: float = Field(ge=0, lt=1, description="of SGD")
    cap: NonNegative = Field(le=10, description="largest strength of the reversed gradient")
    hidden: PositiveInt = Field(description="hidden units of the domain head")


class TunedDann(Section):
    """DANN with what makes it work."""

    cap: NonNegative = Field(le=10, description="largest strength of the reversed gradient")
    hidden: PositiveInt = Field(description="hidden units of the domain head")
    entropy: NonNegative = Field(le=10, description="weight of the target's mean entropy")


class StrongAdaptation(Section):
    """Self-training with a teacher, like AdaMatch."""

    threshold: Fraction = Field(description="of the source's mean confidence, to learn a label")
    weight: NonNegative = Field(le=10, description="of the loss on learnt labels")
    average: float = Field(ge=0, lt=1, description="decay of the mean predictions of a domain")


class Tsne(Section):
    """The picture of the features."""

    images: int = Field(ge=10, description="images of each domain of the test split")
    perplexity: PositiveFloat = Field(description="about so many neighbours are kept near")
    after: Method = Field(description="which row is shown beside source_only")


class Dann(Section):
    """Domain adaptation."""

    seeds: Annotated[tuple[Seed, ...], Strict(False)] = Field(
        min_length=1, description="every row is trained once with each"
    )
    pairs: Annotated[tuple[Pair, ...], Strict(False)] = Field(
        description="source->target; none leaves adaptation out"
    )
    methods: Annotated[tuple[Method, ...], Strict(False)] = Field(
        min_length=1, description="rows of the table; source_only is what gains are over"
    )
    network: AdaptationNetwork
    views: Views
    train: AdaptationTrain
    faithful: FaithfulDann
    tuned: TunedDann
    strong: StrongAdaptation
    tsne: Tsne

    _all_once = field_validator("seeds", "pairs", "methods")(once)

    @field_validator("pairs")
    @classmethod
    def _two(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        for pair in pairs:
            if len(set(pair.split("->"))) == 1:
                raise ValueError(f"{pair} has one domain; name two")
        return pairs

    @field_validator("methods")
    @classmethod
    def _compared(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        if "source_only" not in methods:
            raise ValueError("source_only is missing; gains are over it")
        return methods


def conflicts(dann: Dann) -> Iterator[str]:
    """Values that are allowed alone but not together."""
    if dann.tsne.after not in dann.methods:
        yield f"dann.tsne.after: {dann.tsne.after} is not among dann.methods"

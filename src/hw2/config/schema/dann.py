"""Section of params.yaml: domain adaptation."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict, StringConstraints, field_validator

from hw2.config.choices import Precision
from hw2.config.loader import Section
from hw2.config.schema.dann_methods import Hyperparameters, MethodName
from hw2.config.schema.ranges import Fraction, NonNegative, Seed, once

Pair = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+->[a-z0-9_]+$")]


class DannNetwork(Section):
    """Digit classifier of all methods."""

    base_channels: int = Field(
        ge=4,
        le=512,
        description="Channels of the first convolution. The cost grows with its square.",
    )
    dropout: float = Field(
        ge=0,
        lt=1,
        description=(
            "Fraction of features that are dropped. Raise it when the source domain is overfitted."
        ),
    )
    input: Literal["instance", "domain"] = Field(
        description=(
            "How pixels are normalized: by the statistics of each image, or by those of its domain."
        )
    )


class Augmentations(Section):
    """Random augmentations of training images, the same for all methods."""

    degrees: float = Field(
        ge=0,
        le=180,
        description="Largest rotation in degrees. 6 and 9 become ambiguous long before 90.",
    )
    scale: float = Field(
        ge=0,
        lt=1,
        description=(
            "Largest relative change of size. Target digits may fill more of the frame "
            "than source digits."
        ),
    )
    shear: NonNegative = Field(le=2, description="Largest shear, as a slope.")
    translate: NonNegative = Field(le=14, description="Largest translation in pixels.")
    contrast: Fraction = Field(description="Largest relative change of contrast.")
    brightness: NonNegative = Field(
        le=2, description="Largest change of brightness. Black to white is 2."
    )
    color_jitter: Fraction = Field(
        description=(
            "Contrast and brightness changes of each channel alone. Color differs between "
            "domains and does not distinguish digits."
        )
    )
    invert: Fraction = Field(
        description=(
            "Fraction of images that are inverted. Some target digits are dark and others light."
        )
    )
    grayscale: Fraction = Field(description="Fraction of images that lose their color.")
    blur: Fraction = Field(description="Fraction of images that are blurred.")
    cutout: int = Field(
        ge=0, le=28, description="Side of the square that is cut out, in pixels; 0 disables it."
    )
    weak: Fraction = Field(
        description=(
            "Fraction of the affine ranges that applies to weakly augmented images, which "
            "the teacher sees."
        )
    )


class DannTrain(Section):
    """Training of all methods."""

    steps: PositiveInt = Field(description="Optimizer steps, the same for each method.")
    batch_size: int = Field(
        ge=8, multiple_of=8, description="Images in a step, the same for each method."
    )
    lr: PositiveFloat = Field(
        le=1, description="Peak learning rate of AdamW. Lower it when the loss jumps."
    )
    muon_lr: NonNegative = Field(
        le=1,
        description=(
            "Learning rate of Muon for inner convolutions. 0 trains everything with AdamW."
        ),
    )
    weight_decay: NonNegative = Field(le=1, description="Decoupled weight decay.")
    warmup_fraction: Fraction = Field(
        description="Fraction of the steps in which the learning rate rises linearly."
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
            "Precision of the convolutions. auto is bf16 on processors with AMX and on GPUs that "
            "compute it, otherwise fp32."
        )
    )
    save_every: PositiveInt = Field(
        description="Steps between checkpoints, the most that an interruption can lose."
    )


class Tsne(Section):
    """t-SNE figure of the features."""

    images: int = Field(ge=10, description="Images of each domain, from the test split.")
    perplexity: PositiveFloat = Field(
        description="Perplexity of t-SNE, about the number of neighbors that are kept close."
    )
    after: MethodName = Field(description="Method that is shown beside source_only.")


class Dann(Section):
    """Domain adaptation."""

    seeds: Annotated[tuple[Seed, ...], Strict(False)] = Field(
        min_length=1,
        description=(
            "Each method is trained once with each seed. Three or more show the spread over seeds."
        ),
    )
    pairs: Annotated[tuple[Pair, ...], Strict(False)] = Field(
        description="Domain pairs, as source->target. An empty list leaves domain adaptation out."
    )
    methods: Annotated[tuple[MethodName, ...], Strict(False)] = Field(
        min_length=1,
        description="Methods that are compared. source_only is the baseline and is required.",
    )
    network: DannNetwork
    augmentations: Augmentations
    train: DannTrain
    hyperparameters: Hyperparameters
    tsne: Tsne

    _all_once = field_validator("seeds", "pairs", "methods")(once)

    @field_validator("pairs")
    @classmethod
    def _two(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        for pair in pairs:
            if len(set(pair.split("->"))) == 1:
                raise ValueError(f"{pair} needs two different domains")
        return pairs

    @field_validator("methods")
    @classmethod
    def _compared(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        if "source_only" not in methods:
            raise ValueError("source_only is missing; gains are relative to it")
        return methods


def conflicts(dann: Dann) -> Iterator[str]:
    """Invalid combinations of values that are valid individually."""
    if dann.tsne.after not in dann.methods:
        yield f"dann.tsne.after: {dann.tsne.after} is not among dann.methods"

"""Section of params.yaml: domain adaptation."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict, StringConstraints, field_validator

from hw2.config.loader import Section
from hw2.config.schema.ranges import Fraction, NonNegative, Seed, once

Method = Literal["source_only", "dann", "dann_tuned", "strong", "target_only"]
Pair = Annotated[str, StringConstraints(pattern=r"^([a-z]+)->([a-z]+)$")]


class AdaptationNetwork(Section):
    """Digit classifier of all methods."""

    width: int = Field(
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


class Views(Section):
    """Random augmentations of training images, the same for all methods."""

    turn: float = Field(
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
    shift: NonNegative = Field(le=14, description="Largest translation in pixels.")
    contrast: Fraction = Field(description="Largest relative change of contrast.")
    brightness: NonNegative = Field(
        le=2, description="Largest change of brightness. Black to white is 2."
    )
    tint: Fraction = Field(
        description=(
            "Contrast and brightness changes of each channel by itself. Color differs "
            "between domains and does not tell digits apart."
        )
    )
    invert: Fraction = Field(
        description=(
            "Fraction of images that are inverted. Some target digits are dark and others light."
        )
    )
    grey: Fraction = Field(description="Fraction of images that lose their color.")
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


class AdaptationTrain(Section):
    """Training of all methods."""

    steps: PositiveInt = Field(description="Optimizer steps, the same for each method.")
    batch: int = Field(
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
    warmup: Fraction = Field(
        description="Fraction of the steps in which the learning rate rises linearly."
    )
    ema: float = Field(
        ge=0,
        lt=1,
        description=(
            "Decay of the averaged weights, over about 1 / (1 - decay) steps. Raise it "
            "with the number of steps."
        ),
    )
    save_every: PositiveInt = Field(
        description="Steps between checkpoints, the most that an interruption can lose."
    )


class FaithfulDann(Section):
    """DANN with the optimizer and schedule of Ganin et al. (2016)."""

    network: Literal["shared", "ganin"] = Field(
        description="Network: shared with all methods, or ganin for that of the paper."
    )
    lr: PositiveFloat = Field(
        le=1, description="First learning rate mu_0 of SGD. The paper uses 0.01."
    )
    momentum: float = Field(ge=0, lt=1, description="Momentum of SGD. The paper uses 0.9.")
    cap: NonNegative = Field(
        le=10, description="Largest factor of the reversed gradient. The paper uses 1."
    )
    hidden: PositiveInt = Field(
        description="Hidden units of the domain classifier. The paper uses 100."
    )


class TunedDann(Section):
    """DANN with changes that make small networks learn."""

    cap: NonNegative = Field(
        le=10,
        description=(
            "Largest factor of the reversed gradient. With the paper's 1, small networks "
            "unlearn the digits."
        ),
    )
    hidden: PositiveInt = Field(description="Hidden units of the domain classifier.")
    entropy: NonNegative = Field(
        le=10,
        description=(
            "Weight of the mean prediction entropy on the target. Higher values push "
            "target images off class boundaries."
        ),
    )


class StrongAdaptation(Section):
    """Self-training with a teacher, similar to AdaMatch."""

    threshold: Fraction = Field(
        description=(
            "Confidence that a pseudo-label needs, as a fraction of the mean confidence "
            "on the source. Higher gives fewer, surer labels."
        )
    )
    weight: NonNegative = Field(le=10, description="Weight of the loss on pseudo-labels.")
    average: float = Field(
        ge=0, lt=1, description="Decay of the running mean predictions that align the two domains."
    )


class Tsne(Section):
    """t-SNE figure of the features."""

    images: int = Field(ge=10, description="Images of each domain, from the test split.")
    perplexity: PositiveFloat = Field(
        description="Perplexity of t-SNE, about the number of neighbors that are kept close."
    )
    after: Method = Field(description="Method that is shown beside source_only.")


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
    methods: Annotated[tuple[Method, ...], Strict(False)] = Field(
        min_length=1,
        description="Methods that are compared. source_only is the baseline and is required.",
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
    """Combinations of values that are not allowed although each value is."""
    if dann.tsne.after not in dann.methods:
        yield f"dann.tsne.after: {dann.tsne.after} is not among dann.methods"

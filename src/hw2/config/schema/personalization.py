"""The sections of params.yaml on Stable Diffusion and personalisation."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict, StringConstraints, field_validator

from hw2.config.loader import Section
from hw2.config.schema.clip import ClipModel
from hw2.config.schema.denoising import Train
from hw2.config.schema.ranges import Fraction, Seed, once

Token = Annotated[str, StringConstraints(pattern=r"^<[A-Za-z0-9_-]{1,30}>$")]
Kind = Literal["object", "style"]
Prompts = Annotated[tuple[str, ...], Strict(False), Field(min_length=1)]


class Latent(Section):
    """The embedded codec."""

    channels: int = Field(ge=1, le=48, description="principal components of a patch")
    patch: Literal[2, 4] = Field(description="pixels of a side that become one latent")
    whitening: Fraction = Field(description="0 leaves components as they are, 1 makes them equal")


class StableNetwork(Section):
    """The embedded `UNet2DConditionModel`."""

    base: int = Field(ge=8, le=320, multiple_of=8, description="channels of the finest level")
    mult: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=1, max_length=4, description="channels of each level, in units of base"
    )
    heads: int = Field(ge=1, le=16, description="of each attention")


class Stable(Section):
    """The Stable Diffusion that is personalised."""

    seed: Seed
    weights: str = Field(
        min_length=1, description="embedded, a diffusers folder, a hub id, or a .ckpt of CompVis"
    )
    revision: str | None = Field(description="commit of a hub id; null for the newest")
    config: str | None = Field(
        description="diffusers folder or hub id with the configuration of a .ckpt; null: v1's"
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(description="of frozen weights")
    latent: Latent
    network: StableNetwork
    train: Train


class Concept(Section):
    """Something that a few photographs show."""

    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = Field(
        description="folder of its photographs"
    )
    token: Token = Field(description="its word in prompts")
    kind: Kind = Field(description="which sentences it is learnt in")
    initialiser: str = Field(min_length=1, description="the word that it starts from")
    vectors: int = Field(ge=1, le=16, description="rows of the embedding")


class Personal(Section):
    """The training loop of textual inversion."""

    steps: PositiveInt = Field(description="optimizer steps for each concept")
    batch: int = Field(ge=1, description="pictures of a step")
    accumulate: int = Field(ge=1, description="parts of a batch, a CPU thread each")
    checkpointing: bool = Field(description="compute activations twice, to keep fewer of them")
    lr: PositiveFloat = Field(le=1, description="of the new rows")
    views: bool = Field(description="random squares and mirrors of the photographs")
    look_every: PositiveInt = Field(description="steps between looks at the validation prompts")
    save_every: PositiveInt = Field(description="steps between resume files")


class Drawing(Section):
    """How images are drawn."""

    sampler: Literal["own", "dpmpp"] = Field(description="the pipeline's own, or DPM-Solver++")
    steps: PositiveInt = Field(description="network calls for an image, times two for guidance")
    scale: float = Field(ge=1, le=50, description="guidance; 1 is none")
    batch: PositiveInt = Field(description="images at a time; it does not change them")


class Validation(Section):
    """Prompts that a checkpoint is chosen on, by kind of concept; never those that are graded."""

    object: Prompts = Field(description="with {} for the word")
    style: Prompts = Field(description="with {} for the word")

    @field_validator("object", "style")
    @classmethod
    def _one_place(cls, prompts: tuple[str, ...]) -> tuple[str, ...]:
        for text in prompts:
            if text.count("{}") != 1 or text.count("{") + text.count("}") != 2:
                raise ValueError(f"{text!r} should have one {{}} for the concept")
        return prompts

    def of(self, kind: Kind) -> tuple[str, ...]:
        """The prompts for concepts of this kind."""
        return self.object if kind == "object" else self.style


class Alignment(Section):
    """Whether the embedded model draws what it is asked for, judged by a classifier."""

    judge_images: int = Field(ge=2, description="pictures of each of the 48 classes it learns")
    images: PositiveInt = Field(description="drawn of each class")


class Inversion(Section):
    """Textual inversion, its validation, and the images that are graded."""

    seed: Seed
    photographs: str = Field(
        min_length=1, description="embedded, or a folder with a folder for each concept"
    )
    input: str | None = Field(description="the course's input.json; null for embedded's")
    embedded_photographs: PositiveInt = Field(description="of each concept of the embedded world")
    wording: Literal["embedded", "course"] = Field(description="sentences that concepts learn in")
    concepts: Annotated[tuple[Concept, ...], Strict(False)] = Field(min_length=1)
    train: Personal
    draw: Drawing
    validation: Validation
    validation_images: int = Field(ge=2, description="of each prompt at each look")
    clip: ClipModel = Field(description="the CLIP that scores")
    alignment: Alignment

    @field_validator("concepts")
    @classmethod
    def _concepts_once(cls, concepts: tuple[Concept, ...]) -> tuple[Concept, ...]:
        once(tuple(one.key for one in concepts))
        once(tuple(one.token for one in concepts))
        return concepts


Way = Literal["words", "separate", "joint", "custom_joint", "custom_merged", "freecustom"]


class Several(Section):
    """The comparison of ways to have two concepts in one picture."""

    seeds: Annotated[tuple[Seed, ...], Strict(False)] = Field(
        description="each repeats every training and drawing; none leaves the comparison out"
    )
    pair: Annotated[tuple[str, str], Strict(False)] = Field(description="keys of the two concepts")
    methods: Annotated[tuple[Way, ...], Strict(False)] = Field(min_length=1)
    prompts: Annotated[tuple[str, ...], Strict(False)] = Field(
        min_length=1, description="with {} for the one and the other concept"
    )
    images: int = Field(ge=2, description="of each prompt")
    steps: PositiveInt = Field(description="of each concept alone, before all methods")
    more: PositiveInt = Field(description="steps that every method trains after these")
    matrices_lr: PositiveFloat = Field(le=1, description="of keys and values")
    regular: int = Field(ge=2, description="captions and pictures that hold the model in place")
    regular_photographs: str | None = Field(
        description="folder of pictures with captions.json; null: the embedded world's"
    )
    weight: PositiveFloat = Field(le=100, description="FreeCustom's, of references")

    _all_once = field_validator("seeds", "methods")(once)

    @field_validator("prompts")
    @classmethod
    def _two_places(cls, prompts: tuple[str, ...]) -> tuple[str, ...]:
        for text in prompts:
            if text.count("{}") != 2 or text.count("{") + text.count("}") != 4:
                raise ValueError(f"{text!r} should have two {{}} for the concepts")
        return prompts


def conflicts(stable: Stable, inversion: Inversion, several: Several, clip: bool) -> Iterator[str]:
    """Values that are allowed alone but not together; `clip`: whether the small CLIP is trained."""
    if not clip and "embedded" in (stable.weights, inversion.clip.weights):
        yield "clip.run: false leaves stable and inversion without the small CLIP; write true"
    keys = [one.key for one in inversion.concepts]
    if several.seeds:
        for key in several.pair:
            if key not in keys:
                yield f"several.pair: {key} is not among inversion.concepts"
        if len(set(several.pair)) == 1:
            yield f"several.pair: {several.pair[0]} stands there twice; name two"
    if (inversion.photographs == "embedded") != (inversion.input is None):
        yield "inversion.input: null goes with embedded photographs, a path with a folder of them"
    own = stable.weights == "embedded"
    if inversion.clip.weights == "embedded" and inversion.clip.architecture is not None:
        yield "inversion.clip.architecture: the embedded CLIP says its own; write null"
    if own and stable.train.warmup >= stable.train.steps:
        yield f"stable.train.warmup: {stable.train.warmup} is not less than {stable.train.steps}"
    if not own and several.seeds and several.regular_photographs is None:
        yield "several.regular_photographs: null is for the embedded model; name a folder"

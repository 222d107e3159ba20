"""The sections of params.yaml on pictures with captions and on CLIP."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict, StringConstraints, field_validator

from hw2.config.loader import Section
from hw2.config.schema.ranges import Fraction, NonNegative, Seed, once

Name = Annotated[str, StringConstraints(pattern=r"^[^,\n]{1,40}$")]
Templates = Annotated[tuple[str, ...], Strict(False), Field(min_length=1)]


class Shapes(Section):
    """The embedded world of coloured shapes with captions."""

    seed: Seed
    size: Literal[32, 64] = Field(description="pixels of a side")
    train_images: PositiveInt = Field(description="pictures with captions to learn from")
    exam_images: PositiveInt = Field(description="pictures of each of the 48 classes")


class ClipNetwork(Section):
    """The small CLIP: a modified ResNet and a text transformer."""

    embed: int = Field(ge=8, le=1024, description="length of the common features")
    input: Literal[32, 64, 96] = Field(description="pixels of a side that the image tower sees")
    image_width: int = Field(ge=4, le=128, multiple_of=2, description="channels of the stem")
    text_width: int = Field(ge=16, le=1024, multiple_of=4, description="length of a token")
    text_layers: int = Field(ge=1, le=12, description="blocks of the transformer")


class ClipTrain(Section):
    """The training loop of the small CLIP."""

    steps: PositiveInt = Field(description="optimizer steps")
    batch: int = Field(ge=2, description="pairs of picture and caption in a step")
    lr: PositiveFloat = Field(le=1, description="peak learning rate of AdamW")
    muon_lr: PositiveFloat = Field(le=1, description="Muon's, for inner weight matrices")
    weight_decay: NonNegative = Field(le=1, description="decoupled decay of AdamW's matrices")
    warmup: Fraction = Field(description="share of the steps in which the rate rises")
    decay_from: Fraction = Field(description="share of the steps after which the rate decays")
    grad_clip: PositiveFloat = Field(description="largest norm of the gradient")
    save_every: PositiveInt = Field(description="steps between resume files")


class Clip(Section):
    """The small CLIP of the embedded world."""

    run: bool = Field(description="whether it is trained at all")
    seed: Seed
    network: ClipNetwork
    train: ClipTrain


class ClipModel(Section):
    """A CLIP that is examined."""

    name: Name = Field(description="what tables call it")
    weights: str = Field(
        min_length=1, description="embedded, hf-hub:OWNER/NAME, or the path of a folder or file"
    )
    architecture: str | None = Field(description="open_clip's name; null: the folder says it")
    pin: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")] | None = Field(
        description="commit of the hub, or sha256 of the weight file"
    )


class Zeroshot(Section):
    """Zero-shot classification."""

    seed: Seed
    images: str = Field(
        min_length=1, description="embedded, course, or the path of a folder or zip"
    )
    models: Annotated[tuple[ClipModel, ...], Strict(False)] = Field(
        description="the first is shown in figures of images; none leaves the exam out"
    )
    prompts: Annotated[tuple[str, ...], Strict(False)] = Field(
        min_length=1, description="prompt sets; the first is what others are compared with"
    )
    own_prompts: dict[str, Templates] = Field(description="name: templates with {} for the class")
    shown: str = Field(min_length=1, description="the prompt set of the figures and predictions")
    precision: Literal["auto", "fp32", "bf16"] = Field(description="of the image tower")
    batch: PositiveInt = Field(description="images at a time")

    _prompts_once = field_validator("prompts")(once)

    @field_validator("models")
    @classmethod
    def _names_once(cls, models: tuple[ClipModel, ...]) -> tuple[ClipModel, ...]:
        once(tuple(model.name for model in models))
        return models

    @field_validator("own_prompts")
    @classmethod
    def _one_place(cls, sets: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name, templates in sets.items():
            for template in templates:
                if template.count("{}") != 1 or template.count("{") + template.count("}") != 2:
                    raise ValueError(f"{name}: {template!r} should have one {{}} for the class")
        return sets


def conflicts(clip: Clip, zeroshot: Zeroshot) -> Iterator[str]:
    """Values that are allowed alone but not together."""
    if zeroshot.shown not in zeroshot.prompts:
        yield f"zeroshot.shown: {zeroshot.shown} is not among zeroshot.prompts"
    if not clip.run and any(model.weights == "embedded" for model in zeroshot.models):
        yield "clip.run: false leaves zeroshot.models without the embedded model; write true"

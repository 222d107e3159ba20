"""Sections of params.yaml: captioned images of shapes, the small CLIP, zero-shot classification."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict, StringConstraints, field_validator

from hw2.config.choices import Precision
from hw2.config.loader import Section
from hw2.config.schema.locations import UserPath
from hw2.config.schema.ranges import Fraction, NonNegative, Seed, once

Name = Annotated[str, StringConstraints(pattern=r"^[^,\n]{1,40}$")]
Templates = Annotated[tuple[str, ...], Strict(False), Field(min_length=1)]


class Shapes(Section):
    """Synthetic images of colored shapes with captions."""

    seed: Seed
    image_size: Literal[32, 64] = Field(
        description="Height and width of an image in pixels. 64 is slower and more detailed."
    )
    train_images: PositiveInt = Field(
        description="Captioned images that CLIP and Stable Diffusion learn from."
    )
    num_nouns: int = Field(
        ge=0,
        le=3000,
        description="Invented nouns in captions, each the name of one composite object.",
    )
    num_styles: int = Field(ge=0, le=600, description="Invented names of image styles in captions.")
    test_images_per_class: PositiveInt = Field(
        description=(
            "Zero-shot test images of each of the 48 classes. More makes the confidence "
            "intervals narrower."
        )
    )


class ClipNetwork(Section):
    """Architecture of the small CLIP: modified ResNet and text transformer."""

    embed_dim: int = Field(
        ge=8, le=1024, description="Length of the features that images and texts share."
    )
    image_size: Literal[32, 64, 96] = Field(
        description=(
            "Height and width of the image encoder's input in pixels. 64 is four times as "
            "slow as 32."
        )
    )
    image_width: int = Field(
        ge=4,
        le=128,
        multiple_of=2,
        description="Channels of the stem of the image encoder. The cost grows with its square.",
    )
    text_width: int = Field(
        ge=16,
        le=1024,
        multiple_of=4,
        description="Length of a token embedding. Stable Diffusion uses the same text encoder.",
    )
    text_layers: int = Field(ge=1, le=12, description="Transformer blocks of the text encoder.")


class ClipTrain(Section):
    """Training of the small CLIP."""

    steps: PositiveInt = Field(
        description="Optimizer steps. The accuracy on shapes rises late, so do not stop early."
    )
    batch_size: int = Field(
        ge=2,
        description=(
            "Image-caption pairs in a step. Each serves as a negative example for all others."
        ),
    )
    lr: PositiveFloat = Field(
        le=1, description="Peak learning rate of AdamW. Lower it when the loss jumps."
    )
    muon_lr: PositiveFloat = Field(
        le=1, description="Learning rate of Muon for inner weight matrices."
    )
    weight_decay: NonNegative = Field(
        le=1,
        description=(
            "Decoupled weight decay of the matrices that AdamW trains, except embeddings and norms."
        ),
    )
    warmup_fraction: Fraction = Field(
        description="Fraction of the steps in which the learning rate rises linearly."
    )
    decay_start: Fraction = Field(
        description="Fraction of the steps after which the learning rate falls linearly."
    )
    grad_clip: PositiveFloat = Field(
        description="Largest norm of the gradient. Lower it when single steps spoil the loss."
    )
    precision: Literal["fp32", "bf16"] = Field(
        description="Precision of the forward pass. bf16 is faster on processors with AMX."
    )
    save_every: PositiveInt = Field(
        description="Steps between checkpoints, the most that an interruption can lose."
    )


class ClipModel(Section):
    """CLIP model, pretrained or trained here."""

    name: Name = Field(description="Name in tables.")
    weights: UserPath = Field(
        min_length=1,
        description="trained (here), hf-hub:OWNER/NAME, or the path of a folder or file.",
    )
    architecture: str | None = Field(
        description=(
            "Name of the architecture in open_clip, such as ViT-B-32-quickgelu; null if "
            "the weights' folder states it."
        )
    )
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")] | None = Field(
        description="Commit of a hub id, which keeps the model the same; null takes the newest."
    )
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        description="SHA-256 of the weight file, which is checked; null accepts any."
    )


class ZeroShot(Section):
    """Zero-shot classification with CLIP."""

    seed: Seed
    images: UserPath = Field(
        min_length=1,
        description=(
            "Test images: synthetic, course (clip_zeroshot of "
            "data.course), cifar100 (the test images of the same 50 classes, downloaded), or the "
            "path of a folder or zip."
        ),
    )
    models: Annotated[tuple[ClipModel, ...], Strict(False)] = Field(
        description=(
            "CLIP models that are evaluated. Figures of images show the first. An empty "
            "list leaves zero-shot classification out."
        )
    )
    prompts: Annotated[tuple[str, ...], Strict(False)] = Field(
        min_length=1, description="Prompt sets that are compared with the first."
    )
    custom_prompts: dict[str, Templates] = Field(
        description=(
            "Further prompt sets, as name: templates with {} for the class, such as "
            '{mine: ["a drawing of a {}"]}.'
        )
    )
    report_prompts: str = Field(
        min_length=1, description="Prompt set of the figures and of predictions.csv."
    )
    precision: Precision = Field(
        description=(
            "Precision of the image encoder. auto is bf16 on a GPU and on processors with AMX, "
            "otherwise fp32."
        )
    )
    batch_size: PositiveInt = Field(description="Images at a time. Lower it when memory is short.")

    _prompts_once = field_validator("prompts")(once)

    @field_validator("models")
    @classmethod
    def _names_once(cls, models: tuple[ClipModel, ...]) -> tuple[ClipModel, ...]:
        once(tuple(model.name for model in models))
        return models

    @field_validator("custom_prompts")
    @classmethod
    def _one_placeholder(cls, sets: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name, templates in sets.items():
            for template in templates:
                if template.count("{}") != 1 or template.count("{") + template.count("}") != 2:
                    raise ValueError(f"{name}: {template!r} should have one {{}} for the class")
        return sets


class Clip(Section):
    """Small CLIP that is trained on the captioned shapes."""

    run: bool = Field(
        description=(
            "Whether to train the small CLIP. false is for runs in which all models have "
            "pretrained weights."
        )
    )
    seed: Seed
    network: ClipNetwork
    train: ClipTrain
    zero_shot: ZeroShot


def conflicts(clip: Clip) -> Iterator[str]:
    """Invalid combinations of values that are valid individually."""
    zero_shot = clip.zero_shot
    if zero_shot.report_prompts not in zero_shot.prompts:
        yield (
            f"clip.zero_shot.report_prompts: {zero_shot.report_prompts} is not among "
            "clip.zero_shot.prompts"
        )
    if not clip.run and any(model.weights == "trained" for model in zero_shot.models):
        yield "clip.run: false leaves clip.zero_shot.models without the trained model; write true"

"""Sections of params.yaml: Stable Diffusion and personalization."""

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
    """Autoencoder by principal components, for the model trained here."""

    channels: int = Field(
        ge=1,
        le=48,
        description=(
            "Principal components of a patch. More keep more detail and are harder to learn."
        ),
    )
    patch: Literal[2, 4] = Field(
        description="Side in pixels of the square that becomes one latent vector."
    )
    whitening: Fraction = Field(
        description=(
            "0 keeps the variances of the components, so that large shapes are learnt "
            "first; 1 makes them equal."
        )
    )


class StableNetwork(Section):
    """UNet2DConditionModel, for the model trained here."""

    base_channels: int = Field(
        ge=8,
        le=320,
        multiple_of=8,
        description="Channels of the finest level. The cost grows with its square.",
    )
    channel_mult: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=1,
        max_length=4,
        description="Channels of each level, as multiples of `base_channels`.",
    )
    heads: int = Field(ge=1, le=16, description="Heads of each attention layer.")


class Stable(Section):
    """Stable Diffusion model that is personalized."""

    seed: Seed
    weights: str = Field(
        min_length=1,
        description=(
            "embedded (trained here), a diffusers folder, a hub id, or a .ckpt of CompVis "
            "such as sd-v1-4.ckpt."
        ),
    )
    revision: str | None = Field(
        description="Commit of a hub id, which keeps the model the same; null takes the newest."
    )
    config: str | None = Field(
        description=(
            "Diffusers folder or hub id with the configuration of a .ckpt; null is that "
            "of Stable Diffusion v1."
        )
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        description=(
            "Precision of frozen weights on a GPU. auto is bf16 where it is supported; a "
            "CPU uses fp32."
        )
    )
    latent: Latent
    network: StableNetwork
    train: Train


class Concept(Section):
    """Concept that a few photographs show."""

    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = Field(
        description="Folder of its photographs."
    )
    token: Token = Field(description="Its token in prompts.")
    kind: Kind = Field(
        description="Whether it is trained with sentences for objects or for styles."
    )
    initialiser: str = Field(
        min_length=1,
        description="Words that its embedding starts from: one token, or one for each vector.",
    )
    vectors: int = Field(ge=1, le=16, description="Number of embedding vectors.")


class Personal(Section):
    """Training of textual inversion."""

    steps: PositiveInt = Field(
        description=(
            "Optimizer steps for each concept. More resembles the photographs more and "
            "follows prompts less."
        )
    )
    batch: int = Field(ge=1, description="Images in a step.")
    accumulate: int = Field(
        ge=1,
        description="Parts of a batch: one for each CPU thread, or more to use less GPU memory.",
    )
    checkpointing: bool = Field(
        description=(
            "Recompute activations in the backward pass. It saves memory and is a third slower."
        )
    )
    lr: PositiveFloat = Field(
        le=1, description="Learning rate of the new embedding vectors. Nothing else is trained."
    )
    views: bool = Field(
        description=(
            "Randomly crop and mirror the photographs. Use false where left and right matter."
        )
    )
    look_every: PositiveInt = Field(
        description=(
            "Steps between images of the validation prompts. These take longer than the steps."
        )
    )
    save_every: PositiveInt = Field(
        description="Steps between checkpoints, the most that an interruption can lose."
    )


class Drawing(Section):
    """Sampling of images."""

    sampler: Literal["own", "dpmpp"] = Field(
        description=(
            "own is the scheduler of the pipeline; dpmpp is DPM-Solver++, as in the "
            "course's script."
        )
    )
    steps: PositiveInt = Field(
        description=(
            "Sampling steps, each of two network calls with guidance. The course's script has 50."
        )
    )
    scale: float = Field(
        ge=1, le=50, description="Guidance scale; 1 is no guidance. The course's script has 7.5."
    )
    batch: PositiveInt = Field(
        description=(
            "Images sampled at a time. Lower it when memory is short; the images do not change."
        )
    )


class Validation(Section):
    """Prompts for choosing a checkpoint. They must differ from the prompts that are graded."""

    object: Prompts = Field(description="Prompts for objects, with {} for the token.")
    style: Prompts = Field(description="Prompts for styles, with {} for the token.")

    @field_validator("object", "style")
    @classmethod
    def _one_placeholder(cls, prompts: tuple[str, ...]) -> tuple[str, ...]:
        for text in prompts:
            if text.count("{}") != 1 or text.count("{") + text.count("}") != 2:
                raise ValueError(f"{text!r} should have one {{}} for the concept")
        return prompts


class Alignment(Section):
    """Accuracy of a classifier on images of the model trained here: do they show their prompts?"""

    judge_images: int = Field(
        ge=2, description="Training images of each of the 48 classes for the classifier."
    )
    images: PositiveInt = Field(description="Images of each class that are sampled and classified.")


class Inversion(Section):
    """Textual inversion."""

    seed: Seed
    photographs: str = Field(
        min_length=1,
        description=(
            "embedded (synthetic), or a folder with a folder for each concept, such as "
            "hw2_data/textual_inversion."
        ),
    )
    input: str | None = Field(
        description=(
            "The course's input.json with the prompts that are graded; null writes one "
            "for the synthetic concepts."
        )
    )
    embedded_photographs: PositiveInt = Field(
        description="Synthetic photographs of each concept. The course has 5."
    )
    wording: Literal["embedded", "course"] = Field(
        description=(
            "Training sentences: embedded for the model trained here, course for one that "
            "knows more than shapes."
        )
    )
    concepts: Annotated[tuple[Concept, ...], Strict(False)] = Field(
        min_length=1, description="Concepts to learn."
    )
    train: Personal
    draw: Drawing
    validation: Validation
    validation_images: int = Field(ge=2, description="Images of each prompt at each validation.")
    clip: ClipModel = Field(
        description="CLIP model that scores images. The course uses ViT-B-32 of OpenAI."
    )
    alignment: Alignment

    @field_validator("concepts")
    @classmethod
    def _concepts_once(cls, concepts: tuple[Concept, ...]) -> tuple[Concept, ...]:
        once(tuple(one.key for one in concepts))
        once(tuple(one.token for one in concepts))
        return concepts


Way = Literal["words", "separate", "joint", "custom_joint", "custom_merged", "freecustom"]


class Several(Section):
    """Comparison of methods for two concepts in one image."""

    seeds: Annotated[tuple[Seed, ...], Strict(False)] = Field(
        description=(
            "Each repeats all training and sampling. An empty list leaves the comparison out."
        )
    )
    pair: Annotated[tuple[str, str], Strict(False)] = Field(
        description="Keys of the two concepts, from the concepts above."
    )
    methods: Annotated[tuple[Way, ...], Strict(False)] = Field(
        min_length=1,
        description=(
            "Methods that are compared with separate. words and freecustom are not trained."
        ),
    )
    prompts: Annotated[tuple[str, ...], Strict(False)] = Field(
        min_length=1, description="Prompts, with one {} for each concept."
    )
    images: int = Field(ge=2, description="Images of each prompt and seed.")
    steps: PositiveInt = Field(
        description="Optimizer steps for each concept alone, before all methods."
    )
    more: PositiveInt = Field(description="Optimizer steps of each method after these.")
    matrices_lr: PositiveFloat = Field(
        le=1, description="Learning rate of the key and value matrices."
    )
    regular: int = Field(
        ge=2,
        description=(
            "Captioned images for prior preservation, which keep the model from forgetting."
        ),
    )
    regular_photographs: str | None = Field(
        description="Folder of these images with captions.json; null draws synthetic ones."
    )
    weight: PositiveFloat = Field(
        le=100, description="Weight of the reference features in FreeCustom."
    )

    _all_once = field_validator("seeds", "methods")(once)

    @field_validator("prompts")
    @classmethod
    def _two_placeholders(cls, prompts: tuple[str, ...]) -> tuple[str, ...]:
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
    train = stable.train
    if own and train.warmup_steps >= train.steps:
        yield f"stable.train.warmup_steps: {train.warmup_steps} is not below steps = {train.steps}"
    if not own and several.seeds and several.regular_photographs is None:
        yield "several.regular_photographs: null is for the embedded model; name a folder"

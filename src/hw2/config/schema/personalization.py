"""Section of params.yaml: personalization of Stable Diffusion with one or two concepts."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict, StringConstraints, field_validator

from hw2.config.loader import Section
from hw2.config.schema.clip import ClipModel
from hw2.config.schema.locations import UserPath
from hw2.config.schema.ranges import Fraction, RandomStreams, Seed, once
from hw2.config.schema.stable_diffusion import StableDiffusion

Token = Annotated[str, StringConstraints(pattern=r"^<[A-Za-z0-9_-]{1,30}>$")]
Kind = Literal["object", "style"]
Prompts = Annotated[tuple[str, ...], Strict(False), Field(min_length=1)]


class Concept(Section):
    """Concept that a few photographs show."""

    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = Field(
        description="Folder of its photographs."
    )
    token: Token = Field(description="Its token in prompts.")
    kind: Kind = Field(
        description="Whether it is trained with sentences for objects or for styles."
    )
    initializer: str = Field(
        min_length=1,
        description="Words that its embedding starts from: one token, or one for each vector.",
    )
    vectors: int = Field(ge=1, le=16, description="Number of embedding vectors.")


class PersonalizationTrain(Section):
    """Training of textual inversion."""

    steps: PositiveInt = Field(
        description=(
            "Optimizer steps for each concept. With more steps images resemble the photographs "
            "more and follow prompts less."
        )
    )
    batch_size: int = Field(ge=1, description="Images in a step.")
    microbatches: int = Field(
        ge=1,
        description="Parts of a batch: one for each CPU thread, or more to use less GPU memory.",
    )
    gradient_checkpointing: bool = Field(
        description=(
            "Recompute activations in the backward pass. It saves memory and is a third slower."
        )
    )
    lr: PositiveFloat = Field(
        le=1, description="Learning rate of the new embedding vectors. Nothing else is trained."
    )
    decay_start: Fraction = Field(
        description=(
            "Fraction of the steps after which the learning rate falls linearly; 1 disables the "
            "decay."
        )
    )
    augment: bool = Field(
        description=(
            "Randomly crop and mirror the photographs. Use false where left and right matter."
        )
    )
    validate_every: PositiveInt = Field(
        description=(
            "Steps between images of the validation prompts. These take longer than the steps."
        )
    )
    random_streams: RandomStreams
    save_every: PositiveInt = Field(
        description="Steps between checkpoints, the most that an interruption can lose."
    )


class PersonalizationSampling(Section):
    """Sampling of images."""

    sampler: Literal["pipeline", "dpmpp"] = Field(
        description=(
            "pipeline is the scheduler of the pipeline itself; dpmpp is DPM-Solver++, as in the "
            "course's script."
        )
    )
    steps: PositiveInt = Field(
        description=(
            "Sampling steps, each of two network calls with guidance. The course's script has 50."
        )
    )
    guidance_scale: float = Field(
        ge=1,
        le=50,
        description=(
            "Guidance scale, as defined in hw2/diffusion/guidance.py; 1 disables guidance. The "
            "course's script has 7.5."
        ),
    )
    batch_size: PositiveInt = Field(
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


class ShapeJudges(Section):
    """Classifiers that judge images of shapes: of color and shape, and of the synthetic concepts.

    Photographs of your own have no such classifiers.
    """

    weights: UserPath = Field(
        min_length=1,
        description="A folder with both classifiers, or trained, which takes minutes.",
    )
    shape_images: int = Field(
        ge=2,
        description="Renderings of each of the 48 classes that the classifier of color and shape "
        "learns from, if it is trained.",
    )
    concept_images: int = Field(
        ge=2,
        description="Renderings that the classifier of the concepts learns from, if it is trained.",
    )


class Alignment(Section):
    """Prompt alignment of the model trained here, measured by a classifier of color and shape."""

    images: PositiveInt = Field(description="Images of each class that are sampled and classified.")


MultiConceptMethod = Literal[
    "prompt_only",
    "separate",
    "joint",
    "custom_diffusion_joint",
    "custom_diffusion_merged",
    "freecustom",
]


class ConceptPair(Section):
    """Two concepts in one image, and the prompts for them."""

    keys: Annotated[tuple[str, str], Strict(False)] = Field(
        description="Keys of two of the concepts: two objects, or an object and its style."
    )
    prompts: Prompts = Field(
        description="Prompts, with {0} for the first concept and {1} for the second, in any order."
    )

    @property
    def name(self) -> str:
        """The pair in files and tables, such as `0+2`."""
        return "+".join(self.keys)

    @field_validator("prompts")
    @classmethod
    def _each_concept_once(cls, prompts: tuple[str, ...]) -> tuple[str, ...]:
        for text in prompts:
            if {text.count("{0}"), text.count("{1}")} != {1} or text.count("{") != 2:
                raise ValueError(f"{text!r} should have {{0}} and {{1}} once each")
            if text.count("}") != 2:
                raise ValueError(f"{text!r} should have no braces but those of {{0}} and {{1}}")
        return prompts


class MultiConcept(Section):
    """Comparison of methods for two concepts in one image."""

    seeds: Annotated[tuple[Seed, ...], Strict(False)] = Field(
        description=(
            "Each repeats all training and sampling. An empty list leaves the comparison out."
        )
    )
    pairs: Annotated[tuple[ConceptPair, ...], Strict(False)] = Field(
        min_length=1, description="Pairs of concepts, each compared on its own."
    )
    methods: Annotated[tuple[MultiConceptMethod, ...], Strict(False)] = Field(
        min_length=1,
        description=(
            "Methods that are compared with separate. prompt_only and freecustom are not trained."
        ),
    )
    images: int = Field(ge=2, description="Images of each prompt and seed.")
    finetune_steps: PositiveInt = Field(
        description="Optimizer steps of each method, from the learned embeddings of both concepts."
    )
    kv_lr: PositiveFloat = Field(le=1, description="Learning rate of the key and value matrices.")
    prior_preservation_images: int = Field(
        ge=2,
        description=(
            "Captioned images for prior preservation, which keep the model from forgetting."
        ),
    )
    prior_preservation_folder: UserPath | None = Field(
        description=(
            "Folder of these images with captions.json; null renders them, or lets the model draw "
            "them if the wording is not synthetic."
        )
    )
    reference_weight: PositiveFloat = Field(
        le=100, description="Weight of the reference features in FreeCustom."
    )

    _all_once = field_validator("seeds", "methods")(once)


class Personalization(Section):
    """Textual inversion of one concept, and comparison of methods for two."""

    seed: Seed
    photographs: UserPath = Field(
        min_length=1,
        description=(
            "synthetic (rendered offline), dreambooth (a dog, a cat and a cartoon of that public "
            "dataset, downloaded), or a folder with a folder for each concept, such as "
            "hw2_data/textual_inversion."
        ),
    )
    input: UserPath | None = Field(
        description=(
            "The course's input.json with the prompts that are graded; null writes one "
            "for the concepts of synthetic and dreambooth."
        )
    )
    synthetic_photographs: PositiveInt = Field(
        description="Synthetic photographs of each concept. The course provides 5."
    )
    wording: Literal["synthetic", "course"] = Field(
        description=(
            "Training sentences: synthetic for the model that the pipeline trains, course for "
            "models that were trained on photographs."
        )
    )
    concepts: Annotated[tuple[Concept, ...], Strict(False)] = Field(
        min_length=1, description="Concepts to learn."
    )
    train: PersonalizationTrain
    sampling: PersonalizationSampling
    validation: Validation
    validation_images: int = Field(ge=2, description="Images of each prompt at each validation.")
    clip: ClipModel = Field(
        description="CLIP model that scores images. The course uses ViT-B-32 of OpenAI."
    )
    judges: ShapeJudges
    alignment: Alignment
    multi_concept: MultiConcept

    @field_validator("concepts")
    @classmethod
    def _concepts_once(cls, concepts: tuple[Concept, ...]) -> tuple[Concept, ...]:
        once(tuple(concept.key for concept in concepts))
        once(tuple(concept.token for concept in concepts))
        return concepts


def conflicts(
    stable_diffusion: StableDiffusion, personalization: Personalization, clip_is_trained: bool
) -> Iterator[str]:
    """Invalid combinations of values that are valid individually.

    Args:
        stable_diffusion: Section `stable_diffusion`.
        personalization: Section `personalization`.
        clip_is_trained: `clip.run`, whether the pipeline trains the small CLIP.
    """
    trained = stable_diffusion.weights == "trained"
    own_clip = personalization.clip.weights == "trained"
    if not clip_is_trained and (trained or own_clip):
        yield (
            "clip.run: false, but stable_diffusion and personalization need the small CLIP;"
            " write true"
        )
    if own_clip and personalization.clip.architecture is not None:
        yield "personalization.clip.architecture: the trained CLIP states its own; write null"
    with_prompts = personalization.photographs in ("synthetic", "dreambooth")
    if with_prompts != (personalization.input is None):
        yield (
            "personalization.input: null goes with synthetic or dreambooth photographs, a path with"
            " a folder of photographs"
        )
    multi_concept = personalization.multi_concept
    if not multi_concept.seeds:
        return
    section = "personalization.multi_concept"
    yield from _pair_conflicts(
        multi_concept.pairs, {c.key: c.kind for c in personalization.concepts}, f"{section}.pairs"
    )


def _pair_conflicts(
    pairs: tuple[ConceptPair, ...], kinds: dict[str, Kind], where: str
) -> Iterator[str]:
    for index, (first, second) in enumerate(pair.keys for pair in pairs):
        for key in dict.fromkeys((first, second)):
            if key not in kinds:
                yield f"{where}.{index}: {key} is not among personalization.concepts"
        if first == second:
            yield f"{where}.{index}: {first} is repeated; name two concepts"
        if {first, second} in [set(pair.keys) for pair in pairs[:index]]:
            yield (
                f"{where}.{index}: {first} and {second} are a pair already; add its prompts there"
            )
        if kinds.get(first) == "style":
            yield f"{where}.{index}: {first} is a style; name the object first, then its style"

"""All parameters of params.yaml: `load().ddpm.train.steps`.

Each capability defines its sections in a module of `hw2.config.schema`; this module combines them.
There are no default values, because DVC would not see a value that is missing from params.yaml and
would not rerun a stage when it changes. To add a parameter, add a field to the schema and its value
to params.yaml, then run `hw2 params --write`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from hw2.config import loader
from hw2.config.loader import Section
from hw2.config.schema import clip, dann, ddpm, digits, faces, personalization, stable_diffusion
from hw2.config.schema.clip import Clip, ClipModel, ClipNetwork, ClipTrain, Shapes, ZeroShot
from hw2.config.schema.dann import Augmentations, Dann, DannNetwork, DannTrain
from hw2.config.schema.dann_methods import (
    AdaMatchHyperparameters,
    DannHyperparameters,
    DannPaperHyperparameters,
    SelfTrainingHyperparameters,
)
from hw2.config.schema.ddpm import Ablation, Ddpm, DdpmTrain, Guidance, Network, Sampling, Sweep
from hw2.config.schema.denoising import Denoising, Diffusion, Train, UNetShape
from hw2.config.schema.digits import Data, Judge
from hw2.config.schema.faces import Ddim, Faces
from hw2.config.schema.personalization import (
    Alignment,
    Concept,
    ConceptPair,
    MultiConcept,
    Personalization,
    PersonalizationSampling,
    PersonalizationTrain,
    ShapeJudges,
)
from hw2.config.schema.stable_diffusion import Autoencoder, StableDiffusion
from hw2.runtime.errors import UserError

__all__ = [
    "Ablation",
    "AdaMatchHyperparameters",
    "Alignment",
    "Augmentations",
    "Autoencoder",
    "Clip",
    "ClipModel",
    "ClipNetwork",
    "ClipTrain",
    "Concept",
    "ConceptPair",
    "Dann",
    "DannHyperparameters",
    "DannNetwork",
    "DannPaperHyperparameters",
    "DannTrain",
    "Data",
    "Ddim",
    "Ddpm",
    "DdpmTrain",
    "Denoising",
    "Diffusion",
    "Faces",
    "Figures",
    "Guidance",
    "Judge",
    "MultiConcept",
    "Network",
    "Params",
    "Personalization",
    "PersonalizationSampling",
    "PersonalizationTrain",
    "Runtime",
    "Sampling",
    "SelfTrainingHyperparameters",
    "ShapeJudges",
    "Shapes",
    "StableDiffusion",
    "Sweep",
    "Train",
    "UNetShape",
    "ZeroShot",
    "load",
    "parse",
]


class Runtime(Section):
    """Hardware. No stage depends on it, because it should not change results."""

    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = Field(
        description=(
            "auto, cpu, cuda, or cuda:N for one of several GPUs. The variable HW2_DEVICE "
            "takes precedence."
        )
    )
    threads: int = Field(
        ge=0,
        le=1024,
        description="CPU threads; 0 uses all cores. Use fewer when several stages run at once.",
    )
    processes: int = Field(
        ge=1,
        le=1024,
        description=(
            "Processes that share each batch, for instance one for each GPU, in the trainings that "
            "can use them (docs/cluster.md). The variable HW2_PROCESSES takes precedence."
        ),
    )


class Figures(Section):
    """Figures of the report."""

    dpi: int = Field(
        ge=20, le=600, description="Resolution of the figures in dots per inch. Use 300 for print."
    )


class Params(Section):
    """All sections of params.yaml."""

    profile: str = Field(
        min_length=1, description="Profile that was applied last. Results carry its name."
    )
    runtime: Runtime
    data: Data
    judge: Judge
    ddpm: Ddpm
    dann: Dann
    faces: Faces
    shapes: Shapes
    clip: Clip
    stable_diffusion: StableDiffusion
    personalization: Personalization
    figures: Figures


def load(path: str | Path = "params.yaml") -> Params:
    """Read and check params.yaml.

    Raises:
        UserError: with one line for each problem: dotted key, value, what is allowed.
    """
    return parse(loader.read_yaml(path), path)


def parse(data: Any, source: str | Path = "params.yaml") -> Params:
    """Check the content of params.yaml, given as dicts and lists. Errors are those of `load`."""
    params = loader.parse(Params, data, source)
    problems = list(_conflicts(params))
    if problems:
        raise UserError(loader.listed(source, problems))
    return params


def _conflicts(params: Params) -> Iterator[str]:
    """Invalid combinations of values that are valid individually."""
    yield from _missing_domains(params)
    yield from digits.conflicts(params.data)
    yield from ddpm.conflicts(params.ddpm)
    yield from dann.conflicts(params.dann)
    yield from faces.conflicts(params.faces)
    yield from clip.conflicts(params.clip)
    yield from stable_diffusion.conflicts(params.stable_diffusion)
    yield from personalization.conflicts(
        params.stable_diffusion, params.personalization, params.clip.run
    )


def _missing_domains(params: Params) -> Iterator[str]:
    prepared = params.data.domains
    for domain in params.ddpm.domains:
        if domain not in prepared:
            yield f"ddpm.domains: {domain} is not in data.domains; add it there or leave it out"
    for pair in params.dann.pairs:
        for name in pair.split("->"):
            if name not in prepared:
                yield f"dann.pairs: {pair} needs {name} in data.domains; leave the pair out"

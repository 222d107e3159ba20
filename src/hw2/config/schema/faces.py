"""Sections of params.yaml: the face model and DDIM."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, Strict, field_validator

from hw2.config.choices import Precision, TimestepSpacing
from hw2.config.loader import Section
from hw2.config.schema.denoising import Denoising, Diffusion, UNetShape
from hw2.config.schema.locations import UserPath
from hw2.config.schema.ranges import Fraction, Seed, once


class Ddim(Section):
    """DDIM sampling of faces, and its experiments."""

    seed: Seed
    noises: UserPath | None = Field(
        description=(
            "Folder with 00.pt, 01.pt ... (hw2_data/face/noise for the course's); null draws ten."
        )
    )
    ground_truth: UserPath | None = Field(
        description=(
            "Folder with 00.png, 01.png ... to measure the MSE against "
            "(hw2_data/face/GT); null measures none."
        )
    )
    steps: PositiveInt = Field(description="Network calls for an image. The course requires 50.")
    timestep_spacing: TimestepSpacing = Field(
        description=(
            "Timesteps that are visited. The course's are 981, 961, ..., 1 and a last step to 0."
        )
    )
    eta: Fraction = Field(
        description=(
            "Fresh noise: 0 adds none, as in the course's grading; 1 as much as the ancestral "
            "sampler."
        )
    )
    batch_size: PositiveInt = Field(
        description="Images sampled at a time. Lower it when memory is short."
    )
    precision: Precision = Field(
        description=(
            "Precision of the network. fp32 comes closest to a ground truth; auto is bf16 on a GPU "
            "and on processors with AMX, which compute it twice as fast."
        )
    )
    etas: Annotated[tuple[Fraction, ...], Strict(False)] = Field(
        min_length=2, description="Values of eta that are compared, rising from 0."
    )
    repeats: int = Field(
        ge=3,
        description=(
            "Images of each noise and eta. Diversity needs three; more makes it more precise."
        ),
    )
    step_counts: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=2, description="Numbers of steps that are compared."
    )
    interpolation_points: int = Field(
        ge=3,
        le=101,
        description=(
            "Images of an interpolation between two noises, both ends included. An odd "
            "number includes the middle."
        ),
    )
    interpolation_pairs: int = Field(
        ge=1, le=5, description="Pairs of noises that are interpolated. The figure shows the first."
    )

    _all_once = field_validator("etas", "step_counts")(once)

    @field_validator("etas")
    @classmethod
    def _from_zero(cls, etas: tuple[float, ...]) -> tuple[float, ...]:
        if etas[0] != 0 or list(etas) != sorted(etas):
            raise ValueError("etas must rise from 0, which distances refer to")
        return etas

    @field_validator("interpolation_points")
    @classmethod
    def _with_middle(cls, alphas: int) -> int:
        if alphas % 2 == 0:
            raise ValueError("must be odd, so that alpha = 0.5 is included")
        return alphas


class Faces(Section):
    """Diffusion model of faces."""

    seed: Seed
    source: Literal["trained", "course", "diffusers"] = Field(
        description=(
            "Where the face model comes from: trained here, the course's UNet.pt, or a "
            "UNet2DModel of diffusers."
        )
    )
    weights: UserPath | None = Field(
        description=(
            "Path of UNet.pt, or folder or hub id of the UNet2DModel "
            "(google/ddpm-celebahq-256); null if it is trained here."
        )
    )
    revision: str | None = Field(
        description="Commit of a hub id, which keeps the model the same; null takes the newest."
    )
    images: PositiveInt = Field(
        description="Number of synthetic training faces. A model memorizes a small number of faces."
    )
    image_size: int = Field(
        ge=16,
        le=256,
        multiple_of=16,
        description="Height and width of an image in pixels. 32 trains faster.",
    )
    network: UNetShape
    diffusion: Diffusion
    train: Denoising
    ddim: Ddim


def conflicts(faces: Faces) -> Iterator[str]:
    """Invalid combinations of values that are valid individually."""
    ddim = faces.ddim
    pretrained = faces.source != "trained"
    if pretrained != (faces.weights is not None):
        what = "the path of its weights" if pretrained else "null"
        yield f"faces.weights: {faces.weights!r} with source {faces.source}; write {what}"
    train = faces.train
    if train.warmup_steps >= train.steps:
        yield f"faces.train.warmup_steps: {train.warmup_steps} is not below steps = {train.steps}"
    noise_levels = 1000 if pretrained else faces.diffusion.timesteps
    most = noise_levels // 2  # of the course's timestep spacing
    for key, count in (("steps", ddim.steps), ("step_counts", max(ddim.step_counts))):
        if count > most:
            yield f"faces.ddim.{key}: {count} is more than half of the noise levels, {most}"

"""The sections of params.yaml on faces."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, Strict, field_validator

from hw2.config.loader import Section
from hw2.config.schema.denoising import Denoising, Diffusion, UNetShape
from hw2.config.schema.ranges import Fraction, Seed, once


class Faces(Section):
    """The face model: trained here on drawn faces, or given."""

    seed: Seed
    source: Literal["embedded", "course", "diffusers"] = Field(
        description="trained here, the course's UNet.pt, or a UNet2DModel of diffusers"
    )
    weights: str | None = Field(
        description="path of UNet.pt, or folder or hub id of the UNet2DModel; null if embedded"
    )
    revision: str | None = Field(description="commit of a hub id; null for the newest")
    images: PositiveInt = Field(description="drawn faces to train on")
    size: int = Field(ge=16, le=256, multiple_of=16, description="height and width, pixels")
    network: UNetShape
    diffusion: Diffusion
    train: Denoising


class Ddim(Section):
    """How faces are drawn from the model, and what is compared."""

    seed: Seed
    noises: str | None = Field(description="folder with 00.pt, 01.pt ...; null draws ten")
    ground_truth: str | None = Field(description="folder with 00.png ... to compare with, or null")
    steps: PositiveInt = Field(description="network calls for an image")
    grid: Literal["course", "leading", "trailing"] = Field(description="which times are visited")
    eta: Fraction = Field(description="fresh noise: 0 none, 1 as ancestral")
    batch: PositiveInt = Field(description="images at a time")
    etas: Annotated[tuple[Fraction, ...], Strict(False)] = Field(
        min_length=2, description="rows of the grid, the first one without fresh noise"
    )
    repeats: int = Field(ge=3, description="images of each noise and eta; diversity needs three")
    alphas: int = Field(ge=3, le=101, description="images of an interpolation, both ends included")
    pairs: int = Field(ge=1, le=5, description="pairs of noises that are interpolated")
    counts: Annotated[tuple[PositiveInt, ...], Strict(False)] = Field(
        min_length=2, description="numbers of steps that are compared"
    )

    _all_once = field_validator("etas", "counts")(once)

    @field_validator("etas")
    @classmethod
    def _from_zero(cls, etas: tuple[float, ...]) -> tuple[float, ...]:
        if etas[0] != 0 or list(etas) != sorted(etas):
            raise ValueError("etas rise from 0; distances are to it")
        return etas

    @field_validator("alphas")
    @classmethod
    def _with_middle(cls, alphas: int) -> int:
        if alphas % 2 == 0:
            raise ValueError("an odd number has alpha = 0.5 in it")
        return alphas


def conflicts(faces: Faces, ddim: Ddim) -> Iterator[str]:
    """Values that are allowed alone but not together."""
    given = faces.source != "embedded"
    if given != (faces.weights is not None):
        what = "the path of its weights" if given else "null"
        yield f"faces.weights: {faces.weights!r} with source {faces.source}; write {what}"
    cells = faces.size // faces.network.patch
    if cells % 2 ** (len(faces.network.mult) - 1):
        yield f"faces.network.mult: {cells} cells of {faces.size} pixels are not halved so often"
    if faces.train.warmup >= faces.train.steps:
        yield f"faces.train.warmup: {faces.train.warmup} is not less than {faces.train.steps} steps"
    most = (1000 if given else faces.diffusion.timesteps) // 2  # of the course's grid
    for key, count in (("steps", ddim.steps), ("counts", max(ddim.counts))):
        if count > most:
            yield f"ddim.{key}: {count} is more than half of the noise levels, {most}"

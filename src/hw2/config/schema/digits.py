"""The sections of params.yaml on digit images and on the classifier that judges them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict, field_validator

from hw2.config.loader import Section
from hw2.config.schema.ranges import NonNegative, Seed, once

DataDomain = Literal["mnistm", "svhn", "usps", "mnist"]


def _images(split: str) -> Any:
    return Field(description=f"images of a domain in the {split} split, null for all there are")


class Data(Section):
    """The digit images."""

    source: Literal["synthetic", "course", "public"] = Field(
        description="drawn offline, the course's hw2_data, or the public data sets"
    )
    domains: Annotated[tuple[DataDomain, ...], Strict(False)] = Field(
        min_length=1, description="domains to prepare"
    )
    seed: Seed
    train_images: PositiveInt | None = _images("train")
    val_images: PositiveInt | None = _images("val")
    test_images: PositiveInt | None = _images("test")
    course: str = Field(min_length=1, description="the course's hw2_data folder or zip")
    year: Literal[2022, 2023, 2024, 2025] = Field(
        description="whose zip is downloaded if `course` is not there"
    )
    test_labels: bool = Field(description="whether the course folder's test.csv holds labels")

    _domains_once = field_validator("domains")(once)


class Judge(Section):
    """The digit classifiers that score generated images."""

    seed: Seed
    steps: PositiveInt = Field(description="optimizer steps")
    batch: int = Field(ge=2, description="images; BatchNorm needs two")
    lr: PositiveFloat = Field(le=1, description="peak learning rate")
    weight_decay: NonNegative = Field(le=1, description="decoupled decay")
    course_classifier: str | None = Field(
        description="path of the course's Classifier.pth for mnistm, or null"
    )


def conflicts(data: Data) -> Iterator[str]:
    """Values that are allowed alone but not together."""
    if data.source != "synthetic":
        return
    for split in ("train", "val", "test"):
        if getattr(data, f"{split}_images") is None:
            yield f"data.{split}_images: null is for real data; write how many to draw"
    if "mnist" in data.domains:
        yield "data.domains: mnist is not among the synthetic domains; leave it out"

"""Sections of params.yaml: digit images, and the classifier that judges generated ones."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, Strict, field_validator

from hw2.config.choices import DIGIT_DOMAINS, DomainKey
from hw2.config.loader import Section
from hw2.config.schema.locations import UserPath
from hw2.config.schema.ranges import NonNegative, Seed, once

*_FIRST, _LAST = DIGIT_DOMAINS


def _images(split: str) -> Any:
    return Field(
        description=(
            f"Images of each domain in the {split} split; null takes all images of a real data set."
        )
    )


class Data(Section):
    """Digit images."""

    source: Literal["synthetic", "course", "public"] = Field(
        description=(
            "Where digit images come from: drawn offline, the course's hw2_data (domains that "
            "it lacks from the public data sets), or downloads of the public data sets."
        )
    )
    domains: Annotated[tuple[DomainKey, ...], Strict(False)] = Field(
        min_length=1,
        description=f"Digit domains to prepare: {', '.join(_FIRST)} or {_LAST}.",
    )
    seed: Seed
    train_images: PositiveInt | None = _images("train")
    val_images: PositiveInt | None = _images("val")
    test_images: PositiveInt | None = _images("test")
    course: UserPath = Field(
        min_length=1, description="The course's hw2_data folder or zip, in the layout of any year."
    )
    year: Literal[2022, 2023, 2024, 2025] = Field(
        description="Year whose zip is downloaded if `course` does not exist."
    )
    test_labels: bool = Field(
        description=(
            "Whether test.csv of the course folder holds labels rather than a form to fill in."
        )
    )

    _domains_once = field_validator("domains")(once)


class Judge(Section):
    """Digit classifier that scores generated images."""

    seed: Seed
    steps: PositiveInt = Field(
        description="Optimizer steps. Use more if the accuracy of the judge itself is below 95 %."
    )
    batch: int = Field(ge=2, description="Images in a step. BatchNorm needs at least two.")
    lr: PositiveFloat = Field(le=1, description="Peak learning rate. Lower it when the loss jumps.")
    weight_decay: NonNegative = Field(
        le=1,
        description=(
            "Decoupled weight decay. Raise it when training and validation accuracy diverge."
        ),
    )
    course_classifier: UserPath | None = Field(
        description=(
            "Path of the course's Classifier.pth, which then judges mnistm; null trains a judge."
        )
    )


def conflicts(data: Data) -> Iterator[str]:
    """Invalid combinations of values that are valid individually."""
    if data.source != "synthetic":
        return
    for split in ("train", "val", "test"):
        if getattr(data, f"{split}_images") is None:
            yield f"data.{split}_images: null is for real data; write how many to draw"

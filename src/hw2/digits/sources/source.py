"""The description of a public data set of digits, and the errors of its reader.

Every sha256 is a published one, mostly from more than one project: TensorFlow Datasets (MNIST,
SVHN) and torchvision (MNIST, SVHN, USPS) keep such tables, and several projects that use BSDS500
state its checksum. SVHN and USPS have one known https server each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw2.digits.arrays import Digits
from hw2.io.download import Remote
from hw2.runtime.errors import UserError

TABLES = ("train", "test")
"""The tables of every public set. The val split is cut from `train`."""

Blend = Callable[[str, np.ndarray, np.ndarray], np.ndarray]
"""From (split, images uint8 (N, 28, 28, 1), their rows in the table) to images uint8."""


@dataclass(frozen=True)
class PublicSource:
    """A public set, or a recipe that makes a set from the images of another.

    Attributes:
        files: The files to download.
        read: A function of the download folder and a table that returns all digits of the table
            in the set's image size. It raises `UserError` if a file is missing or damaged.
        images: The published number of images in each table.
        divided_as: The domain that names the random streams of the division. Two domains with the
            same one have the same digits in each split.
        blender: For a recipe, a function of the download folder and a seed that returns the
            function of the images; None for images that are used unchanged.
    """

    files: tuple[Remote, ...]
    read: Callable[[Path, str], Digits]
    images: Mapping[str, int]
    divided_as: str
    blender: Callable[[Path, int], Blend] | None = None


def damaged(path: Path, reason: object) -> UserError:
    """The error for a file that is missing or does not have the published content."""
    if isinstance(reason, FileNotFoundError):
        return UserError(f"{path}: is missing; run `dvc repro digits_fetch`")
    text = " ".join(str(reason).split())
    return UserError(f"{path}: damaged ({text}); delete it, then it is downloaded again")


def checked_labels(labels: np.ndarray, path: Path, allowed: range) -> np.ndarray:
    """Labels as int64 (N,).

    Raises:
        UserError: if a label is not allowed.
    """
    for row in np.flatnonzero(~np.isin(labels, allowed))[:1]:
        raise damaged(
            path, f"label {labels[row]:g} of row {row} is not {allowed[0]} to {allowed[-1]}"
        )
    return labels.astype(np.int64)

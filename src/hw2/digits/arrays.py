"""Digits as arrays: a file of images and a file of labels for each domain and split.

Images are decoded once, in `digits_pack`. Readers map the files into memory, so opening them is
fast.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw2.runtime.errors import UserError


@dataclass(frozen=True)
class Digits:
    """The digits of one domain and split.

    Attributes:
        images: uint8 (N, 28, 28, C), where C is 3 or 1.
        digits: int64 (N,), from 0 to 9.
    """

    images: np.ndarray
    digits: np.ndarray

    @property
    def rgb(self) -> np.ndarray:
        """The images with three channels: uint8 (N, 28, 28, 3)."""
        return self.images if self.images.shape[-1] == 3 else np.repeat(self.images, 3, axis=-1)


def save(folder: Path, domain: str, split: str, digits: Digits) -> None:
    """Write one domain and split below `folder`, which has a folder for each split."""
    (folder / split).mkdir(parents=True, exist_ok=True)
    np.save(_path(folder, domain, split, "images"), digits.images)
    np.save(_path(folder, domain, split, "digits"), digits.digits)


def load(folder: Path, domain: str, split: str) -> Digits:
    """Map one domain and split into memory.

    Raises:
        UserError: if it was not packed, or is damaged.
    """
    return Digits(
        _mapped(folder, domain, split, "images"),
        np.array(_mapped(folder, domain, split, "digits")),
    )


def load_images(folder: Path, domain: str, split: str) -> np.ndarray:
    """The images alone, uint8 (N, 28, 28, 3), without opening the file of labels.

    Raises:
        UserError: if they were not packed, or are damaged.
    """
    return Digits(_mapped(folder, domain, split, "images"), np.empty(0, np.int64)).rgb


def domains(folder: Path) -> tuple[str, ...]:
    """The domains that were packed, in alphabetical order.

    Raises:
        UserError: if there is none.
    """
    pattern = _path(folder, "*", "train", "digits")
    ending = pattern.name.removeprefix("*")
    result = pattern.parent.glob(pattern.name)
    packed = tuple(sorted(path.name.removesuffix(ending) for path in result))
    if not packed:
        raise UserError(f"{folder}: no digits; run `dvc repro digits_pack`")
    return packed


def fingerprint(folder: Path, domains: Sequence[str], split: str) -> str:
    """A hash of the images and digits of some domains, for the identity of a training."""
    hashed = hashlib.sha256()
    for domain in domains:
        data = load(folder, domain, split)
        hashed.update(f"{domain} {data.images.shape}".encode())
        hashed.update(np.ascontiguousarray(data.images).data)
        hashed.update(data.digits.tobytes())
    return hashed.hexdigest()


def fingerprint_images(folder: Path, domains: Sequence[str], split: str) -> str:
    """A hash of the images alone, like `fingerprint`."""
    hashed = hashlib.sha256()
    for domain in domains:
        images = _mapped(folder, domain, split, "images")
        hashed.update(f"{domain} {images.shape}".encode())
        hashed.update(np.ascontiguousarray(images).data)
    return hashed.hexdigest()


def _mapped(folder: Path, domain: str, split: str, kind: str) -> np.ndarray:
    try:
        return np.load(_path(folder, domain, split, kind), mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise UserError(
            f"{folder}: no {split} split of {domain}; run `dvc repro digits_pack`,"
            f" or put {domain} into data.domains"
        ) from None
    except (OSError, EOFError, ValueError) as error:
        raise UserError(
            f"{folder}: the {split} split of {domain} is damaged ({error});"
            " run `dvc repro digits_pack`"
        ) from error


def _path(folder: Path, domain: str, split: str, kind: str) -> Path:
    return folder / split / f"{domain}_{kind}.npy"

"""A pair of domains, and the images that a method may train on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw2.digits import arrays


@dataclass(frozen=True)
class Pair:
    """Labeled `source`, unlabeled `target`; `domains` lists them by index."""

    source: str
    target: str

    @staticmethod
    def parse(text: str) -> "Pair":
        """Parse `source->target`, the form of params.yaml."""
        source, target = text.split("->")
        return Pair(source, target)

    @property
    def name(self) -> str:
        """The name in params.yaml and in records."""
        return f"{self.source}->{self.target}"

    @property
    def slug(self) -> str:
        """The name in file names."""
        return f"{self.source}-{self.target}"

    @property
    def domains(self) -> tuple[str, str]:
        """Source and target, by domain index."""
        return self.source, self.target


@dataclass(frozen=True)
class TrainingImages:
    """What a training reads: images uint8 (N, 28, 28, 3), digits int64 (N,).

    `target_digits` is None unless the method trains on target labels.
    """

    source: np.ndarray
    source_digits: np.ndarray
    target: np.ndarray
    target_digits: np.ndarray | None

    @staticmethod
    def load(digits_arrays: Path, pair: Pair, target_labels: bool) -> "TrainingImages":
        """The train split of both domains.

        Target labels are read only with `target_labels`; otherwise the file of labels need not
        exist.
        """
        source = arrays.load(digits_arrays, pair.source, "train")
        digits = None
        if target_labels:
            digits = arrays.load(digits_arrays, pair.target, "train").digits
        target = arrays.load_images(digits_arrays, pair.target, "train")
        return TrainingImages(source.rgb, source.digits, target, digits)


def identity(digits_arrays: Path, pair: Pair, target_labels: bool) -> dict[str, str]:
    """Hashes of what `TrainingImages.load` reads."""
    target = arrays.fingerprint if target_labels else arrays.fingerprint_images
    return {
        "source": arrays.fingerprint(digits_arrays, [pair.source], "train"),
        "target": target(digits_arrays, [pair.target], "train"),
    }

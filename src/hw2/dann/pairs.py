"""The domains of a training, and the images that it may read."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw2.digits import arrays


@dataclass(frozen=True)
class Pair:
    """Labeled `source` and unlabeled `target`; `domains` lists them by index.

    If both are the same domain, the training knows that domain alone, with its labels.
    """

    source: str
    target: str

    @staticmethod
    def parse(text: str) -> "Pair":
        """Parse `source->target`, the form of params.yaml, or the name of a single domain."""
        source, _, target = text.partition("->")
        return Pair(source, target or source)

    @property
    def name(self) -> str:
        """The name in params.yaml and in records: that of the domain if there is only one."""
        return self.source if self.is_single else f"{self.source}->{self.target}"

    @property
    def slug(self) -> str:
        """The name in file names."""
        return self.name.replace("->", "-")

    @property
    def domains(self) -> tuple[str, str]:
        """Source and target, by domain index."""
        return self.source, self.target

    @property
    def is_single(self) -> bool:
        """Whether both are the same domain."""
        return self.source == self.target

    def index(self, domain: str) -> int:
        """The index of the statistics that images of `domain` are normalized with.

        A training on a single domain has seen no other, so its statistics serve for all.

        Raises:
            ValueError: if `domain` is none of the two of a training on two domains.
        """
        return 0 if self.is_single else self.domains.index(domain)


@dataclass(frozen=True)
class TrainingImages:
    """What a training reads: images uint8 (N, 28, 28, 3), digits int64 (N,).

    `target_digits` is None unless source and target are the same domain.
    """

    source: np.ndarray
    source_digits: np.ndarray
    target: np.ndarray
    target_digits: np.ndarray | None

    @staticmethod
    def load(digits_arrays: Path, pair: Pair) -> "TrainingImages":
        """The train split of both domains; the labels of an unlabeled target need not exist."""
        source = arrays.load(digits_arrays, pair.source, "train")
        if pair.is_single:
            return TrainingImages(source.rgb, source.digits, source.rgb, source.digits)
        target = arrays.load_images(digits_arrays, pair.target, "train")
        return TrainingImages(source.rgb, source.digits, target, None)


def identity(digits_arrays: Path, pair: Pair) -> dict[str, str]:
    """Hashes of what `TrainingImages.load` reads."""
    read = {"source": arrays.fingerprint(digits_arrays, [pair.source], "train")}
    if not pair.is_single:
        read["target"] = arrays.fingerprint_images(digits_arrays, [pair.target], "train")
    return read

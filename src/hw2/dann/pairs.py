"""A pair of domains, and the images of it that a row of the table may train on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw2.digits import arrays


@dataclass(frozen=True)
class Pair:
    """Labelled `source`, unlabelled `target`; `slots` are their places in the network."""

    source: str
    target: str

    @staticmethod
    def parse(text: str) -> "Pair":
        """From `source->target`, as in params.yaml."""
        source, target = text.split("->")
        return Pair(source, target)

    @property
    def name(self) -> str:
        """As in params.yaml and in records."""
        return f"{self.source}->{self.target}"

    @property
    def slug(self) -> str:
        """As in file names."""
        return f"{self.source}-{self.target}"

    @property
    def slots(self) -> tuple[str, str]:
        """The domains by slot."""
        return self.source, self.target


@dataclass(frozen=True)
class TrainingImages:
    """What a training reads. All rows but target_only have `target_digits` None.

    Images are uint8 (N, 28, 28, 3), digits int64 (N,).
    """

    source: np.ndarray
    source_digits: np.ndarray
    target: np.ndarray
    target_digits: np.ndarray | None

    @staticmethod
    def load(packed: Path, pair: Pair, method: str) -> "TrainingImages":
        """The train split of both domains.

        The target's labels are read for the row `target_only` and for no other: for these, the
        file of labels need not even exist.
        """
        source = arrays.load(packed, pair.source, "train")
        digits = None
        if method == "target_only":
            digits = arrays.load(packed, pair.target, "train").digits
        target = arrays.load_images(packed, pair.target, "train")
        return TrainingImages(source.rgb, source.digits, target, digits)


def identity(packed: Path, pair: Pair, method: str) -> dict[str, str]:
    """Hashes of what `TrainingImages.load` reads."""
    target = arrays.fingerprint if method == "target_only" else arrays.fingerprint_images
    return {
        "source": arrays.fingerprint(packed, [pair.source], "train"),
        "target": target(packed, [pair.target], "train"),
    }

"""MNIST (LeCun et al., 1998): 28x28, light digits on black."""

from pathlib import Path

from hw2.digits.arrays import Digits
from hw2.digits.labels import NUM_DIGITS
from hw2.digits.sources import idx
from hw2.digits.sources.source import PublicSource, checked_labels
from hw2.io.download import Remote

SIZE = 28


def _remote(name: str, sha256: str, size: int, about: str) -> Remote:
    servers = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    return Remote(
        name=name,
        urls=tuple(server + name for server in servers),
        sha256=sha256,
        bytes=size,
        licence="CC BY-SA 3.0, Y. LeCun and C. Cortes",
        about=f"MNIST, {about}",
    )


FILES: dict[str, tuple[Remote, Remote]] = {
    "train": (
        _remote(
            "train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
            "training images",
        ),
        _remote(
            "train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
            "training labels",
        ),
    ),
    "test": (
        _remote(
            "t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            1_648_877,
            "test images",
        ),
        _remote(
            "t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            4_542,
            "test labels",
        ),
    ),
}
"""Images and labels of each table."""


def read(raw: Path, table: str) -> Digits:
    """All digits of a table: images uint8 (N, 28, 28, 1)."""
    images, labels = (raw / remote.name for remote in FILES[table])
    return Digits(
        idx.read(images, (SIZE, SIZE))[..., None],
        checked_labels(idx.read(labels, ()), labels, range(NUM_DIGITS)),
    )


SOURCE = PublicSource(
    files=tuple(remote for pair in FILES.values() for remote in pair),
    read=read,
    images={"train": 60_000, "test": 10_000},
    divided_as="mnist",
)

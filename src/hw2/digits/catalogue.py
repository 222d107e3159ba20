"""The public digit data sets: where their files are, and how to know them.

Every sha256 was found published, mostly in more than one place: TensorFlow Datasets (MNIST,
SVHN) and torchvision (MNIST, SVHN, USPS) keep such tables, and BSDS500's stands in several
projects that use the archive. SVHN and USPS have one known https server each.
"""

from pathlib import Path

from hw2.io.download import Remote
from hw2.runtime.errors import UserError


def _mnist(name: str, sha256: str, size: int, about: str) -> Remote:
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


def _svhn(name: str, sha256: str, size: int, about: str) -> Remote:
    return Remote(
        name=name,
        urls=(f"https://ufldl.stanford.edu/housenumbers/{name}",),
        sha256=sha256,
        bytes=size,
        licence="non-commercial use only; cite Netzer et al. 2011",
        about=f"SVHN, {about}",
    )


def _usps(name: str, sha256: str, about: str) -> Remote:
    return Remote(
        name=name,
        urls=(f"https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/{name}",),
        sha256=sha256,
        bytes=None,  # no exact size was found published
        licence="none stated; cite Hull 1994",
        about=f"USPS, {about}",
    )


MNIST: dict[str, tuple[Remote, Remote]] = {
    "train": (
        _mnist(
            "train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
            "training images",
        ),
        _mnist(
            "train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
            "training labels",
        ),
    ),
    "test": (
        _mnist(
            "t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            1_648_877,
            "test images",
        ),
        _mnist(
            "t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            4_542,
            "test labels",
        ),
    ),
}
"""Images and labels of each table."""

SVHN: dict[str, Remote] = {
    "train": _svhn(
        "train_32x32.mat",
        "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        182_040_794,
        "cropped training digits",
    ),
    "test": _svhn(
        "test_32x32.mat",
        "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        64_275_384,
        "cropped test digits",
    ),
}

USPS: dict[str, Remote] = {
    "train": _usps(
        "usps.bz2",
        "3771e9dd6ba685185f89867b6e249233dd74652389f263963b3b741e994b034f",
        "training digits",
    ),
    "test": _usps(
        "usps.t.bz2",
        "a9c0164e797d60142a50604917f0baa604f326e9a689698763793fa5d12ffc4e",
        "test digits",
    ),
}

BSDS500 = Remote(
    name="BSR_bsds500.tgz",
    urls=tuple(
        f"https://{host}.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz"
        for host in ("www2", "www")
    ),
    sha256="97e49d31764f3912f0c4122707d53062ac9e783ba0f095e447a4d53c1a41af8e",
    bytes=70_763_455,
    licence="non-commercial research and education; cite Arbelaez et al. 2011",
    about="BSDS500, photographs for MNIST-M",
)

PHOTOS = 200
"""Photographs in BSDS500's training set, which MNIST-M is made with."""

IMAGES: dict[str, dict[str, int]] = {
    "mnist": {"train": 60_000, "test": 10_000},
    "svhn": {"train": 73_257, "test": 26_032},
    "usps": {"train": 7_291, "test": 2_007},
}
"""Images of each table, as published."""


def needed(domain: str) -> tuple[Remote, ...]:
    """The files that a domain is made from."""
    mnist = tuple(remote for pair in MNIST.values() for remote in pair)
    return {
        "mnist": mnist,
        "mnistm": (*mnist, BSDS500),
        "svhn": tuple(SVHN.values()),
        "usps": tuple(USPS.values()),
    }[domain]


def damaged(path: Path, why: object) -> UserError:
    """The refusal of a file that is not what it should be, in one line."""
    what = " ".join(str(why).split())
    if isinstance(why, FileNotFoundError):
        return UserError(f"{path}: is missing; run `dvc repro digits_fetch`")
    return UserError(f"{path}: damaged ({what}); delete it, then it is downloaded again")

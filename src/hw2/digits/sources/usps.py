"""USPS (Hull, 1994): scanned digits of envelopes, 16x16, light on black, as LIBSVM text."""

import bz2
import io
from pathlib import Path

import numpy as np

from hw2.digits.arrays import Digits
from hw2.digits.labels import NUM_DIGITS
from hw2.digits.sources.source import PublicSource, checked_labels, damaged
from hw2.io.download import Remote

MAX_BYTES = 1 << 30
"""Of an uncompressed file."""


def _remote(name: str, sha256: str, about: str) -> Remote:
    return Remote(
        name=name,
        urls=(f"https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/{name}",),
        sha256=sha256,
        bytes=None,  # the exact size is not published
        licence="none stated; cite Hull 1994",
        about=f"USPS, {about}",
    )


FILES: dict[str, Remote] = {
    "train": _remote(
        "usps.bz2",
        "3771e9dd6ba685185f89867b6e249233dd74652389f263963b3b741e994b034f",
        "training digits",
    ),
    "test": _remote(
        "usps.t.bz2",
        "a9c0164e797d60142a50604917f0baa604f326e9a689698763793fa5d12ffc4e",
        "test digits",
    ),
}


def read(raw: Path, table: str) -> Digits:
    """All digits of a table: images uint8 (N, 16, 16, 1)."""
    from sklearn.datasets import load_svmlight_file

    path = raw / FILES[table].name
    try:
        with bz2.open(path) as file:
            text = file.read(MAX_BYTES)
        pixels, labels = load_svmlight_file(io.BytesIO(text), n_features=256, zero_based=False)
    except (OSError, EOFError, ValueError) as error:
        raise damaged(path, error) from error
    ink = pixels.toarray()
    if not (np.abs(ink) <= 1).all():  # also refuses NaN
        raise damaged(path, f"pixels from {ink.min():g} to {ink.max():g}, not -1 to 1")
    images = np.rint((ink + 1) * 127.5).astype(np.uint8).reshape(-1, 16, 16, 1)
    return Digits(images, checked_labels(labels, path, range(1, NUM_DIGITS + 1)) - 1)


SOURCE = PublicSource(
    files=tuple(FILES.values()),
    read=read,
    images={"train": 7_291, "test": 2_007},
    divided_as="usps",
)

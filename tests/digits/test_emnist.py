"""EMNIST digits, from a small archive in NIST's form that a local server sends."""

import dataclasses
import gzip
import hashlib
import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import mirrors
import numpy as np
import pytest

from hw2.config import params
from hw2.digits import domains, public
from hw2.digits.labels import SPLITS
from hw2.digits.sources import emnist
from hw2.runtime.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {"train": 40, "test": 12}


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes(), mtime=0)


def upright(table: str) -> np.ndarray:
    """Images uint8 (N, 28, 28): row r of image k has the value 5 r + k."""
    rows = np.broadcast_to(5 * np.arange(28, dtype=np.uint8)[:, None], (28, 28))
    return np.stack([rows + np.uint8(k) for k in range(COUNTS[table])])


def archive(**changes: bytes | None) -> bytes:
    """NIST's archive with a few digits; `changes` replaces members by table and kind, or omits."""
    members = {"gzip/emnist-letters-train-images-idx3-ubyte.gz": b"another variant"}
    for table, count in COUNTS.items():
        arrays = {
            "images-idx3": upright(table).transpose(0, 2, 1),
            "labels-idx1": np.arange(count, dtype=np.uint8) % 10,
        }
        for kind, array in arrays.items():
            content = changes.get(f"{table}_{kind[:6]}", idx(np.ascontiguousarray(array)))
            if content is not None:
                members[f"gzip/emnist-digits-{table}-{kind}-ubyte.gz"] = content
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> params.Data:
    for table, count in COUNTS.items():
        monkeypatch.setitem(emnist.SOURCE.images, table, count)
    own = {"domains": ("emnist",), "source": "public", "seed": 5}
    own |= {f"{split}_images": None for split in SPLITS}
    return params.load(ROOT / "params.yaml").data.model_copy(update=own)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[mirrors.Mirrors]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with mirrors.serving(tmp_path / "raw") as serving:
        yield serving


def test_emnist_is_downloaded_and_its_images_are_upright(
    data: params.Data, server: mirrors.Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = archive()
    monkeypatch.setattr(mirrors, "DATA", content)
    remote = dataclasses.replace(
        emnist.ARCHIVE,
        urls=(server.url("good"),),
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
    )
    source = dataclasses.replace(emnist.SOURCE, files=(remote,))
    domain = dataclasses.replace(domains.DOMAINS["emnist"], public=source)
    monkeypatch.setitem(domains.DOMAINS, "emnist", domain)
    public.fetch(data.domains, server.folder)
    splits = {split: digits for _, split, digits in public.contents(data, server.folder)}
    assert {split: len(digits.digits) for split, digits in splits.items()} == {
        "train": 36,
        "val": 4,
        "test": 12,
    }
    assert np.array_equal(splits["test"].images[..., 0], upright("test"))
    assert splits["test"].digits.tolist() == [*range(10), 0, 1]


def test_the_published_archive_is_named_with_its_checksum() -> None:
    assert emnist.ARCHIVE.bytes == 561_753_746
    assert all(url.startswith("https://") for url in emnist.ARCHIVE.urls)
    assert emnist.SOURCE.images == {"train": 240_000, "test": 40_000}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda: b"", "damaged (File is not a zip file)"),
        (lambda: archive()[:1000], "damaged (File is not a zip file)"),
        (lambda: archive(test_images=None), "emnist-digits-test-images-idx3-ubyte.gz"),
        (lambda: archive(train_images=b"<html>"), "Not a gzipped file"),
        (lambda: archive(train_images=idx(np.zeros((40, 28), np.uint8))), "begins with 00000802"),
        (lambda: archive(train_labels=idx(np.full(40, 10, np.uint8))), "label 10 of row 0"),
    ],
    ids=["empty", "cut", "no member", "no gzip", "dimensions", "label"],
)
def test_a_damaged_archive_is_named(
    data: params.Data, tmp_path: Path, damage: Callable[[], bytes], message: str
) -> None:
    path = tmp_path / emnist.ARCHIVE.name
    path.write_bytes(damage())
    with pytest.raises(UserError) as caught:
        list(public.contents(data, tmp_path))
    assert str(caught.value).startswith(f"{path}: damaged (")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_number_of_images_than_published_is_refused(
    data: params.Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / emnist.ARCHIVE.name).write_bytes(archive())
    monkeypatch.setitem(emnist.SOURCE.images, "test", 13)
    with pytest.raises(UserError, match="the test table of emnist has 12 images and 12 labels"):
        list(public.contents(data, tmp_path))

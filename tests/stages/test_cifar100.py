"""CIFAR-100's test images of the course's classes, from an archive of the published format."""

import dataclasses
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from running import artifacts_in, changed, run_stage

from hw2.clip import cifar100, images
from hw2.config import params
from hw2.runtime.errors import UserError
from hw2.stages import clip_fetch

NAMES = ["aquarium_fish", *reversed(cifar100.CLASSES), "orchid"]
"""Some of CIFAR-100's classes, in another order than the course's."""
LABELS = [*range(len(NAMES)), 1, 0, 1]


def pixels(number: int) -> np.ndarray:
    """Test image `number`: uint8 (32, 32, 3)."""
    stream = np.random.Generator(np.random.PCG64(number))
    return stream.integers(0, 256, (32, 32, 3), np.uint8)


def write_archive(path: Path, monkeypatch: pytest.MonkeyPatch, cut: int = 0) -> None:
    """Write a small archive, without the last `cut` bytes of its images, and pin it."""
    records = [
        bytes([0, label]) + pixels(k).transpose(2, 0, 1).tobytes() for k, label in enumerate(LABELS)
    ]
    content = b"".join(records)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, data in (
            ("fine_label_names.txt", "\n".join(NAMES).encode() + b"\n"),
            ("test.bin", content[: len(content) - cut]),
        ):
            member = tarfile.TarInfo(f"cifar-100-binary/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    pinned = dataclasses.replace(cifar100.ARCHIVE, sha256=digest)
    monkeypatch.setattr(cifar100, "ARCHIVE", pinned)


def test_the_stage_collects_the_images_of_the_course_s_classes(
    mini: params.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = artifacts_in(tmp_path)
    write_archive(artifacts.raw / cifar100.ARCHIVE.name, monkeypatch)
    settings = changed(mini, "clip.zero_shot", images="cifar100")
    run_stage(clip_fetch, settings, artifacts)
    with images.opened(artifacts.clip_test_set) as found:
        assert len(found) == len(cifar100.CLASSES) + 2
        assert found.classes == tuple(name.replace("_", " ") for name in cifar100.CLASSES)
        numbers = [k for k, label in enumerate(LABELS) if NAMES[label] == "sunflower"]
        rows = np.flatnonzero(found.labels == found.classes.index("sunflower"))
        assert len(numbers) == len(rows) == 3
        for number, image in zip(numbers, found.read([int(row) for row in rows]), strict=True):
            assert np.array_equal(image, pixels(number))


def test_an_archive_with_other_content_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / cifar100.ARCHIVE.name
    write_archive(path, monkeypatch, cut=1)
    with pytest.raises(UserError, match=r"bytes of test images; delete it"):
        list(cifar100.images(tmp_path))
    path.write_bytes(b"other")
    with pytest.raises(UserError, match="not the published file"):
        list(cifar100.images(tmp_path))


def test_there_are_50_different_classes() -> None:
    assert len(set(cifar100.CLASSES)) == len(cifar100.CLASSES) == 50

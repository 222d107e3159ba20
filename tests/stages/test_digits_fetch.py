"""From a source to packed arrays: the course's folder, and the choice between sources."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import artifacts_in, changed, run_stages

from hw2.config import params
from hw2.digits import arrays, public
from hw2.digits.arrays import Digits
from hw2.stages import digits_fetch, digits_pack


def settings(**values: object) -> params.Params:
    every = {"train_images": None, "val_images": None, "test_images": None}
    return changed(params.load(), "data", **(every | values))


def write_course(root: Path, domain: str, tables: dict[str, int]) -> dict[str, np.ndarray]:
    """A folder in the course's layout with random images; returns them by file name."""
    random = np.random.default_rng(1)
    folder = root / "digits" / domain
    (folder / "data").mkdir(parents=True)
    images = {}
    for table, count in tables.items():
        rows = []
        for number in range(count):
            name = f"{len(images):05d}.png"
            images[name] = random.integers(0, 256, (28, 28, 3), np.uint8)
            Image.fromarray(images[name]).save(folder / "data" / name)
            rows.append((name, number % 10))
        with (folder / f"{table}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("image_name", "label"), *rows])
    return images


def prepare(settings: params.Params, folder: Path) -> Path:
    artifacts = artifacts_in(folder)
    run_stages((digits_fetch, digits_pack), settings, artifacts)
    return artifacts.digits_arrays


def test_a_course_folder_becomes_packed_splits(tmp_path: Path) -> None:
    images = write_course(tmp_path / "hw2_data", "mnistm", {"train": 60, "val": 20})
    where = str(tmp_path / "hw2_data")
    folder = prepare(
        settings(source="course", course=where, domains=("mnistm",), val_images=10), tmp_path
    )
    assert arrays.domains(folder) == ("mnistm",)
    splits = {split: arrays.load(folder, "mnistm", split) for split in ("train", "val", "test")}
    assert {split: len(digits.digits) for split, digits in splits.items()} == {
        "train": 50,
        "val": 10,
        "test": 20,
    }
    number_of = {image.tobytes(): int(name[:5]) for name, image in images.items()}
    numbers = {
        split: [number_of[np.ascontiguousarray(image).tobytes()] for image in digits.images]
        for split, digits in splits.items()
    }
    assert sorted(numbers["train"] + numbers["val"]) == list(range(60))
    assert numbers["test"] == list(range(60, 80))
    for split, digits in splits.items():
        assert (digits.digits == np.array(numbers[split]) % 10).all()


def test_a_damaged_image_stops_the_stage_before_anything_is_written(tmp_path: Path) -> None:
    write_course(tmp_path / "hw2_data", "mnistm", {"train": 40})
    (tmp_path / "hw2_data/digits/mnistm/data/00007.png").write_bytes(b"")
    course = settings(source="course", course=str(tmp_path / "hw2_data"), domains=("mnistm",))
    with pytest.raises(Exception, match=r"00007\.png"):
        prepare(course, tmp_path)
    written = {path for path in tmp_path.rglob("*") if "hw2_data" not in path.parts}
    assert written <= {tmp_path / "data"}  # the folder of the archive, empty


def test_the_public_sets_are_fetched_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    images = np.zeros((10, 28, 28, 1), np.uint8)
    monkeypatch.setattr(public, "fetch", lambda *arguments: done.append(arguments))

    def contents(data: params.Data, raw: Path) -> object:
        assert done == [(("usps",), raw)]
        return iter([("usps", "train", Digits(images, np.arange(10)))])

    monkeypatch.setattr(public, "contents", contents)
    folder = prepare(settings(source="public", domains=("usps",)), tmp_path)
    assert (arrays.load(folder, "usps", "train").digits == np.arange(10)).all()


def test_a_domain_that_the_course_lacks_comes_from_the_public_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "hw2")
    write_course(tmp_path / "hw2_data", "mnistm", {"train": 60, "val": 20})
    asked: list[object] = []
    images = np.zeros((10, 28, 28, 1), np.uint8)
    monkeypatch.setattr(public, "fetch", lambda keys, raw: asked.append(keys))

    def contents(data: params.Data, raw: Path) -> object:
        asked.append(data.domains)
        return iter([("usps", "train", Digits(images, np.arange(10)))])

    monkeypatch.setattr(public, "contents", contents)
    where = tmp_path / "hw2_data"
    both = settings(source="course", course=str(where), domains=("mnistm", "usps"), val_images=10)
    folder = prepare(both, tmp_path)
    assert asked == [("usps",), ("usps",)]
    assert len(arrays.load(folder, "mnistm", "train").digits) == 50
    assert len(arrays.load(folder, "usps", "train").digits) == 10
    assert f"usps: not in {where}; taken from the public data set" in caplog.text

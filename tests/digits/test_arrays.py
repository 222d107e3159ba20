"""Packed arrays come back as they were, and their fingerprint sees every change."""

from pathlib import Path

import numpy as np
import pytest

from hw2.digits import arrays
from hw2.digits.arrays import Digits
from hw2.runtime.errors import UserError


def made(seed: int = 0, count: int = 12, channels: int = 3) -> Digits:
    random = np.random.Generator(np.random.PCG64(seed))
    images = random.integers(0, 256, (count, 28, 28, channels), np.uint8)
    return Digits(images, random.integers(0, 10, count))


@pytest.mark.parametrize("channels", [1, 3])
def test_loaded_arrays_equal_the_saved_ones(tmp_path: Path, channels: int) -> None:
    arrays.save(tmp_path, "usps", "train", made(channels=channels))
    loaded = arrays.load(tmp_path, "usps", "train")
    assert np.array_equal(loaded.images, made(channels=channels).images)
    assert np.array_equal(loaded.digits, made(channels=channels).digits)
    assert (loaded.images.dtype, loaded.digits.dtype) == (np.uint8, np.int64)
    assert isinstance(loaded.images, np.memmap)


def test_saving_is_byte_deterministic(tmp_path: Path) -> None:
    for name in ("a", "b"):
        arrays.save(tmp_path / name, "svhn", "train", made())
    written = [
        sorted((p.name, p.read_bytes()) for p in (tmp_path / n).glob("train/*")) for n in "ab"
    ]
    assert len(written[0]) == 2
    assert written[0] == written[1]


def test_gray_images_get_three_equal_channels() -> None:
    gray = made(channels=1)
    assert gray.rgb.shape == (12, 28, 28, 3)
    assert all(np.array_equal(gray.rgb[..., k], gray.images[..., 0]) for k in range(3))
    assert np.array_equal(made().rgb, made().images)


def test_a_split_that_was_not_packed_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no train split of svhn; run `dvc repro digits_pack`"):
        arrays.load(tmp_path, "svhn", "train")


@pytest.mark.parametrize("kind", ["images", "digits"])
@pytest.mark.parametrize("keep", [0, 60, 150])
def test_a_damaged_array_is_refused_in_one_line(tmp_path: Path, kind: str, keep: int) -> None:
    arrays.save(tmp_path, "svhn", "train", made())
    path = tmp_path / f"train/svhn_{kind}.npy"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(
        UserError, match=r"train split of svhn .* `dvc repro digits_pack`"
    ) as caught:
        arrays.load(tmp_path, "svhn", "train")
    assert "\n" not in str(caught.value)


def test_the_fingerprint_sees_pixels_digits_domains_and_their_order(tmp_path: Path) -> None:
    first = made()
    moved = first.images.copy()
    moved[3, 5, 7, 1] ^= 1
    relabelled = first.digits.copy()
    relabelled[4] = (relabelled[4] + 1) % 10
    fingerprints = []
    for k, data in enumerate((first, first, Digits(moved, first.digits),
                              Digits(first.images, relabelled))):  # fmt: skip
        folder = tmp_path / str(k)
        folder.mkdir()
        arrays.save(folder, "mnistm", "train", data)
        arrays.save(folder, "mnistm", "test", made(9))
        arrays.save(folder, "svhn", "train", made(1))
        fingerprints.append(arrays.fingerprint(folder, ("mnistm",), "train"))
    assert fingerprints[0] == fingerprints[1]
    others = [arrays.fingerprint(tmp_path / "0", *what) for what in (
        (("svhn",), "train"), (("mnistm",), "test"), (("mnistm", "svhn"), "train"),
        (("svhn", "mnistm"), "train"))]  # fmt: skip
    assert len({*fingerprints, *others}) == 3 + 4

"""Photographs from an archive: which are read, which split they are in, damage."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from photographs import COLORS, PHOTOS, jpeg, write_photos

from hw2.digits.labels import SPLITS
from hw2.digits.sources import bsds500
from hw2.runtime.errors import UserError

NOISE = np.random.Generator(np.random.PCG64(34)).bytes(300_000)
PAGE = b"\n <!DOCTYPE html><html><title>Quota exceeded</title></html>"


def test_each_photograph_is_in_one_split_which_the_seed_chooses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photos(tmp_path)
    monkeypatch.setattr(bsds500, "PHOTOS", PHOTOS)

    def photo_numbers(seed: int) -> dict[str, list[int]]:
        """The numbers of the photographs of each split, known by their colors."""
        return {
            split: [int(np.abs(np.array(COLORS) - photo[0, 0]).max(1).argmin()) for photo in of]
            for split, of in bsds500.by_split(tmp_path, seed, 28).items()
        }

    first = photo_numbers(5)
    assert {split: len(of) for split, of in first.items()} == dict(
        zip(SPLITS, (8, 1, 1), strict=True)
    )
    assert sorted(k for of in first.values() for k in of) == list(range(PHOTOS))
    assert photo_numbers(5) == first
    assert photo_numbers(6) != first


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        (jpeg(np.zeros((40, 40, 3), np.uint8)), "11 training photographs, not 10"),
        (b"no JPEG", "a/train/odd.jpg: not a JPEG"),
        (jpeg(np.zeros((900, 900, 3), np.uint8))[:2000], "a/train/odd.jpg: "),
        (jpeg(np.zeros((27, 90, 3), np.uint8)), "a/train/odd.jpg is smaller than 28x28"),
    ],
    ids=["one more", "no image", "cut", "small"],
)
def test_unusable_photographs_are_reported(
    tmp_path: Path, photo: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photos(tmp_path, odd=photo)
    monkeypatch.setattr(bsds500, "PHOTOS", PHOTOS + ("11" not in message))
    with pytest.raises(UserError) as caught:
        bsds500.by_split(tmp_path, 5, 28)
    assert str(caught.value).startswith(f"{tmp_path / bsds500.ARCHIVE.name}: damaged (")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def archive(path: Path, entries: list[tuple[str, bytes, bytes]], mode: str = "w:gz") -> Path:
    """A tar archive of (name, type, content)."""
    with tarfile.open(path, mode) as file:  # type: ignore[call-overload]
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size = kind, len(content)
            if kind != tarfile.REGTYPE:
                entry.size, entry.linkname = 0, "/etc/passwd"
            file.addfile(entry, io.BytesIO(content))
    return path


ENTRIES = [
    ("a/train/1.jpg", tarfile.REGTYPE, b"one"),
    ("a/train", tarfile.DIRTYPE, b""),
    ("a/train/2.jpg", tarfile.SYMTYPE, b""),
    ("a/train/3.jpg", tarfile.LNKTYPE, b""),
    ("a/train/4.mat", tarfile.REGTYPE, b"no"),
    ("a/test/5.jpg", tarfile.REGTYPE, b"no"),
    ("../../train/6.jpg", tarfile.REGTYPE, b"six"),
    ("train/7.jpg", tarfile.FIFOTYPE, b""),
]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
def test_row_66_regular_members_of_the_folder_are_read_and_nothing_is_written(
    tmp_path: Path, mode: str
) -> None:
    path = archive(tmp_path / "a.tar", ENTRIES, mode)
    assert list(bsds500.members(path, "train", ".jpg")) == [
        ("a/train/1.jpg", b"one"),
        ("../../train/6.jpg", b"six"),
    ]
    assert list(tmp_path.iterdir()) == [path]


def test_an_archive_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tgz", [("train/1.jpg", tarfile.REGTYPE, bytes(5000))] * 3)
    assert len(list(bsds500.members(path, "train", ".jpg", limit=15_000))) == 3
    with pytest.raises(UserError, match="unpacks to more than it should"):
        list(bsds500.members(path, "train", ".jpg", limit=14_999))


@pytest.mark.parametrize("data", [b"", PAGE, NOISE[:5000]], ids=["empty", "page", "noise"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.tgz"
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.tgz: not a whole tar archive") as caught:
        list(bsds500.members(path, "train", ".jpg"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_archive_is_refused(tmp_path: Path, share: float) -> None:
    path = archive(tmp_path / "a.tgz", [("train/1.jpg", tarfile.REGTYPE, NOISE)])
    path.write_bytes(path.read_bytes()[: int(len(path.read_bytes()) * share)])
    with pytest.raises(UserError, match=r"a\.tgz: not a whole tar archive"):
        list(bsds500.members(path, "train", ".jpg"))

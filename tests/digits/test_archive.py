"""The course's archive: written and read without loss; damage is named by file and row."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hw2.digits import archive
from hw2.digits.arrays import Digits
from hw2.runtime.errors import UserError

DOMAINS, SPLITS = ("mnistm", "svhn", "usps"), ("train", "val", "test")
TABLES = {"train": "train.csv", "val": "val.csv", "test": "test.csv"}


def made(domain: str, split: str, count: int = 4) -> Digits:
    random = np.random.Generator(np.random.PCG64(DOMAINS.index(domain) * 3 + SPLITS.index(split)))
    channels = 1 if domain == "usps" else 3
    images = random.integers(0, 256, (count, 28, 28, channels), np.uint8)
    return Digits(images, np.arange(count) % 10)


def write(path: Path) -> Path:
    archive.write(path, ((d, p, made(d, p)) for d in DOMAINS for p in SPLITS))
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def rewrite(path: Path, contents: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in contents.items():
            file.writestr(name, content)


def damaged(tmp_path: Path, changes: dict[str, bytes | None]) -> Path:
    """An archive in which some members are replaced, or removed for None."""
    path = write(tmp_path / "digits.zip")
    contents = {**members(path), **changes}
    rewrite(path, {name: data for name, data in contents.items() if data is not None})
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        list(archive.read(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_an_archive_keeps_images_and_labels(tmp_path: Path) -> None:
    splits = {(d, p): data for d, p, data in archive.read(write(tmp_path / "digits.zip"))}
    assert splits.keys() == {(d, p) for d in DOMAINS for p in SPLITS}
    for (domain, split), data in splits.items():
        assert np.array_equal(data.images, made(domain, split).images)
        assert np.array_equal(data.digits, made(domain, split).digits)
        assert (data.images.dtype, data.digits.dtype) == (np.uint8, np.int64)


def test_writing_is_byte_deterministic(tmp_path: Path) -> None:
    assert write(tmp_path / "a.zip").read_bytes() == write(tmp_path / "b.zip").read_bytes()


def test_the_layout_is_the_course_s(tmp_path: Path) -> None:
    contents = members(write(tmp_path / "digits.zip"))
    tables = {f"digits/{d}/{TABLES[p]}" for d in DOMAINS for p in SPLITS}
    images = {f"digits/{d}/data/{k:05d}.png" for d in DOMAINS for k in range(12)}
    assert contents.keys() == tables | images
    for name in tables:
        assert contents[name].startswith(b"image_name,label\n0")
    with Image.open(io.BytesIO(contents["digits/usps/data/00000.png"])) as image:
        assert (image.mode, image.size) == ("L", (28, 28))
    with Image.open(io.BytesIO(contents["digits/svhn/data/00000.png"])) as image:
        assert (image.mode, image.size) == ("RGB", (28, 28))


def test_splits_of_a_domain_share_no_image_name(tmp_path: Path) -> None:
    contents = members(write(tmp_path / "digits.zip"))
    named = [
        line.split(b",")[0]
        for split in SPLITS
        for line in contents[f"digits/svhn/{TABLES[split]}"].split()[1:]
    ]
    assert len(set(named)) == len(named) == 12


@pytest.mark.parametrize("change", ["bom", "crlf", "no final newline"])
def test_tables_of_other_programs_are_read(tmp_path: Path, change: str) -> None:
    table = "digits/mnistm/train.csv"
    text = members(write(tmp_path / "digits.zip"))[table]
    other = {
        "bom": b"\xef\xbb\xbf" + text,
        "crlf": text.replace(b"\n", b"\r\n"),
        "no final newline": text[:-1],
    }[change]
    splits = {(d, p): data for d, p, data in archive.read(damaged(tmp_path, {table: other}))}
    assert np.array_equal(splits["mnistm", "train"].digits, made("mnistm", "train").digits)


@pytest.mark.parametrize("label", ["", "x", "1.5", "-1", "10", " 3", "03", "²"])
def test_a_bad_label_is_named_by_table_and_line(tmp_path: Path, label: str) -> None:
    table = f"image_name,label\n00000.png,1\n00001.png,{label}\n".encode()
    path = damaged(tmp_path, {"digits/svhn/val.csv": table})
    start = f"{path}: digits/svhn/val.csv line 3: label {label!r} is not 0 to 9"
    assert refusal(path).startswith(start)
    assert refusal(path).endswith("or run `dvc repro digits_fetch`")


@pytest.mark.parametrize(
    "table", [b"", b"image_name,label\n", b"name,digit\n00000.png,1\n", b"image_name,label\n0000"]
)
def test_a_table_without_rows_or_columns_is_named(tmp_path: Path, table: bytes) -> None:
    assert "digits/svhn/val.csv" in refusal(damaged(tmp_path, {"digits/svhn/val.csv": table}))


def test_row_41_a_missing_image_is_named(tmp_path: Path) -> None:
    message = refusal(damaged(tmp_path, {"digits/mnistm/data/00002.png": None}))
    assert "digits/mnistm/data/00002.png: cannot be read" in message
    assert message.endswith("; run `dvc repro digits_fetch`")


GOOD = png(Image.fromarray(made("mnistm", "train").images[0]))


@pytest.mark.parametrize(
    "data",
    [
        *(pytest.param(GOOD[: int(len(GOOD) * share)], id=f"cut {share}")
          for share in (0, 0.004, 0.01, 0.5, 0.9)),
        pytest.param(GOOD[:200] + bytes([GOOD[200] ^ 255]) + GOOD[201:], id="flip"),
        pytest.param(GOOD[:12] + b"XXXX" + GOOD[16:], id="header"),
        pytest.param(GOOD[:37] + b"\0\0\0\0" + GOOD[41:], id="chunk"),
        pytest.param(b"<!DOCTYPE html>", id="text"),
        pytest.param(png(Image.new("RGB", (100, 100))), id="100 x 100"),
    ],
)  # fmt: skip
def test_a_damaged_image_is_named(tmp_path: Path, data: bytes) -> None:
    path = damaged(tmp_path, {"digits/mnistm/data/00001.png": data})
    assert refusal(path).startswith(f"{path}: digits/mnistm/data/00001.png: ")
    assert refusal(path).endswith("; run `dvc repro digits_fetch`")


@pytest.mark.parametrize("mode", ["P", "RGBA", "I;16", "L", "1"])
def test_an_image_of_another_mode_is_converted(tmp_path: Path, mode: str) -> None:
    path = damaged(tmp_path, {"digits/mnistm/data/00001.png": png(Image.new(mode, (28, 28)))})
    digits = {(d, p): data for d, p, data in archive.read(path)}["mnistm", "train"]
    assert digits.images.shape == (4, 28, 28, 3)
    assert not digits.images[1].any()
    assert np.array_equal(digits.images[2], made("mnistm", "train").images[2])


def test_an_archive_without_digits_is_refused(tmp_path: Path) -> None:
    rewrite(tmp_path / "digits.zip", {"readme.txt": b""})
    assert refusal(tmp_path / "digits.zip").endswith("; run `dvc repro digits_fetch`")


def test_a_domain_may_lack_splits(tmp_path: Path) -> None:
    path = damaged(tmp_path, {"digits/svhn/val.csv": None, "digits/svhn/test.csv": None})
    parts = {(d, p) for d, p, _ in archive.read(path)}
    assert {split for domain, split in parts if domain == "svhn"} == {"train"}


@pytest.mark.parametrize("data", [b"", b"<!DOCTYPE html>", b"PK\x03\x04"])
def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "digits.zip"
    path.write_bytes(data)
    assert refusal(path).startswith(f"{path}: not a whole zip archive")


def test_a_cut_download_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "digits.zip")
    path.write_bytes(path.read_bytes()[:-100])
    assert refusal(path).startswith(f"{path}: not a whole zip archive")


def test_an_absent_archive_is_refused(tmp_path: Path) -> None:
    assert "run `dvc repro digits_fetch`" in refusal(tmp_path / "digits.zip")


def test_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "digits.zip")
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1  # in some image
    path.write_bytes(data)
    assert str(path) in refusal(path) or "digits/" in refusal(path)

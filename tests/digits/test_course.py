"""The course's folder or zip: every layout is read, every fault is named, all of them at once."""

import gzip
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hw2.config import params
from hw2.digits import archive, course, layout
from hw2.digits.faults import REMEDIES, summary
from hw2.runtime.errors import UserError

ROOT = Path(__file__).parents[2]
UNPACK = ROOT.parent / "shared/real_data/unpack.py"
COUNTS = {"train": 12, "val": 4, "test": 5}
PLACES = {"train": range(0, 12), "val": range(12, 16), "test": range(16, 21)}
YEARS = {
    2022: (("mnistm", "svhn", "usps"), ("train", "val", "test")),
    2023: (("mnistm", "svhn", "usps"), ("train", "val", "test")),
    2024: (("mnistm", "svhn"), ("train",)),
    2025: (("mnistm", "svhn"), ("train",)),
}
Files = dict[str, bytes]


def pixels(domain: str, number: int) -> np.ndarray:
    """Image `number` of a domain: uint8 (28, 28, C), all different."""
    channels = 1 if domain in ("usps", "mnist") else 3
    random = np.random.Generator(np.random.PCG64([len(domain), ord(domain[0]), number]))
    return random.integers(0, 256, (28, 28, channels), np.uint8)


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array if array.shape[-1] == 3 else array[..., 0]).save(buffer, "PNG")
    return buffer.getvalue()


def table(rows: list[tuple[str, object]]) -> bytes:
    return "\n".join(
        ["image_name,label", *(f"{name},{label}" for name, label in rows), ""]
    ).encode()


def made(domains: tuple[str, ...], tables: tuple[str, ...], top: str = "digits/") -> Files:
    """The files of a set; image k is `0000k.png` with label k mod 10."""
    files = {}
    for domain in domains:
        for name in tables:
            rows: list[tuple[str, object]] = []
            for k in PLACES[name]:
                files[f"{top}{domain}/data/{k:05d}.png"] = png(pixels(domain, k))
                rows.append((f"{k:05d}.png", k % 10))
            files[f"{top}{domain}/{name}.csv"] = table(rows)
    return files


def folder(path: Path, files: Files) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def packed(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def data(**changes: Any) -> params.Data:
    values = params.load(ROOT / "params.yaml").data.model_dump() | {
        "source": "course",
        "domains": ("mnistm", "svhn"),
        "train_images": None,
        "val_images": 2,
        "test_images": 3,
        "test_labels": False,
    }
    return params.Data(**(values | changes))


def read(path: Path, **changes: Any) -> dict[tuple[str, str], course.Digits]:
    return {(d, p): digits for d, p, digits in course.contents(path, data(**changes))}


def fault_list(path: Path, test_labels: bool = True) -> list[str]:
    """Every fault of a set as `kind: where`."""
    return [f"{f.kind}: {f.where}" for f in course.check(path, None, test_labels).faults]


def changed(**changes: bytes | None) -> Files:
    """A set of mnistm with all tables, some files replaced or, for None, left out."""
    files: dict[str, bytes | None] = {**made(("mnistm",), ("train", "val", "test")), **changes}
    return {name: content for name, content in files.items() if content is not None}


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        action()
    return str(caught.value)


# Layouts


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("top", ["digits/", "hw2_data/digits/", "my set ü 数字/digits/", ""])
@pytest.mark.parametrize("year", YEARS)
def test_the_layout_of_every_year_is_read_from_any_folder_or_zip(
    tmp_path: Path, year: int, top: str, kind: str
) -> None:
    domains, tables = YEARS[year]
    files = made(domains, tables, top)
    files |= {"hw2_data/face/UNet.pt": b"x", "textual_inversion/0/00.jpg": b"x"}
    path = (
        folder(tmp_path / "ünï 数", files)
        if kind == "folder"
        else packed(tmp_path / "a b.zip", files)
    )
    splits = read(path, domains=domains)
    assert list(splits) == [(d, p) for d in domains for p in ("train", "val", "test")]
    for domain in domains:
        everything = [
            image.tobytes() for (d, _), p in splits.items() if d == domain for image in p.images
        ]
        used = [k for t in tables if t != "test" for k in PLACES[t]]
        if len(tables) > 1:  # val is reported, of which three are kept
            used = [k for k in used if k < 12]
            assert len(splits[domain, "test"].images) == 3
        assert len(everything) == len(set(everything)) == len(used) + (3 if len(tables) > 1 else 0)
        assert splits[domain, "train"].images.shape[1:] == (28, 28, 1 if domain == "usps" else 3)


def test_a_set_without_a_test_table_is_read(tmp_path: Path) -> None:
    splits = read(folder(tmp_path, made(("svhn",), ("train", "val"))), domains=("svhn",))
    assert [len(digits.digits) for digits in splits.values()] == [10, 2, 3]


def test_with_test_labels_each_table_is_its_split(tmp_path: Path) -> None:
    path = folder(tmp_path, made(("mnistm", "mnist"), ("train", "val", "test")))
    splits = read(path, domains=("mnist",), test_labels=True, val_images=None, test_images=None)
    for split, name in (("train", "train"), ("val", "val"), ("test", "test")):
        digits = splits["mnist", split]
        assert np.array_equal(digits.images, [pixels("mnist", k) for k in PLACES[name]])
        assert np.array_equal(digits.digits, [k % 10 for k in PLACES[name]])
        assert digits.digits.dtype == np.int64


def test_a_folder_and_a_zip_have_equal_contents(tmp_path: Path) -> None:
    files = made(("mnistm", "svhn"), ("train", "val"))
    from_folder = read(folder(tmp_path / "set", files))
    from_zip = read(packed(tmp_path / "set.zip", files))
    assert from_folder.keys() == from_zip.keys()
    for key in from_folder:
        assert np.array_equal(from_folder[key].images, from_zip[key].images)
        assert np.array_equal(from_folder[key].digits, from_zip[key].digits)


@pytest.mark.parametrize("chunk", [1, 3, 12])
def test_images_keep_their_order_in_chunks_of_any_size(
    tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "_CHUNK", chunk)
    path = folder(tmp_path, made(("svhn",), ("train", "val", "test")))
    digits = read(path, domains=("svhn",), test_labels=True)["svhn", "train"]
    assert np.array_equal(digits.images, [pixels("svhn", k) for k in PLACES["train"]])


def test_the_archive_of_the_dag_keeps_images_and_labels(tmp_path: Path) -> None:
    domains = ("mnistm", "usps")
    path = folder(tmp_path / "set", made(domains, ("train", "val")))
    splits = read(path, domains=domains)
    archive.write(tmp_path / "digits.zip", ((*key, digits) for key, digits in splits.items()))
    again = {(d, p): digits for d, p, digits in archive.read(tmp_path / "digits.zip")}
    assert again.keys() == splits.keys()
    for key, digits in splits.items():
        assert np.array_equal(again[key].images, digits.images)
        assert np.array_equal(again[key].digits, digits.digits)


def test_a_test_table_without_labels_is_not_read(tmp_path: Path) -> None:
    form = table([(f"{k:05d}.png", "?") for k in PLACES["test"]] + [("absent.png", "")])
    path = folder(tmp_path, changed(**{"digits/mnistm/test.csv": form}))
    assert fault_list(path, test_labels=False) == []
    assert "bad label: digits/mnistm/test.csv line 2" in fault_list(path, test_labels=True)


def test_test_images_without_a_table_are_reported(tmp_path: Path) -> None:
    path = folder(tmp_path, changed(**{"digits/mnistm/test.csv": None}))
    assert fault_list(path) == [
        f"image without row: digits/mnistm/data/{k:05d}.png" for k in PLACES["test"]
    ]


def test_a_report_counts_images_digits_and_modes(tmp_path: Path) -> None:
    files = changed(**{"digits/mnistm/data/00003.png": png(pixels("mnistm", 1))})
    report = course.check(folder(tmp_path, files), None, True)
    assert [(s.domain, s.table, s.images, s.copies) for s in report.tables] == [
        ("mnistm", "train", 12, 1),
        ("mnistm", "val", 4, 0),
        ("mnistm", "test", 5, 0),
    ]
    assert report.tables[0].digits == (2, 2, 1, 1, 1, 1, 1, 1, 1, 1)
    assert report.tables[0].modes == {"RGB": 12}
    assert report.faults == []  # the same pixels twice in one table are no fault


def test_other_programs_files_are_ignored(tmp_path: Path) -> None:
    litter = dict.fromkeys(
        (
            ".DS_Store",
            "digits/.DS_Store",
            "digits/mnistm/data/.DS_Store",
            "digits/mnistm/data/._00000.png",
            "digits/mnistm/data/Thumbs.db",
            "digits/mnistm/data/notes.txt",
            "digits/__MACOSX/data/00000.png",
            "__MACOSX/digits/mnistm/train.csv",
        ),
        b"x",
    )
    assert fault_list(folder(tmp_path / "a", changed(**litter))) == []
    assert fault_list(packed(tmp_path / "a.zip", changed(**litter))) == []


# Tables


TRAIN = table([(f"{k:05d}.png", k % 10) for k in PLACES["train"]])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"\xef\xbb\xbf" + TRAIN, id="BOM"),
        pytest.param(TRAIN.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(b"\xef\xbb\xbf" + TRAIN.replace(b"\n", b"\r\n")[:-2], id="both, no end"),
        pytest.param(TRAIN[:-1], id="no final newline"),
        pytest.param(TRAIN + b"\n\r\n", id="blank lines"),
        pytest.param(TRAIN.replace(b"00003.png", b'"00003.png"'), id="quoted"),
        pytest.param(TRAIN + b"\x1a", id="Ctrl-Z"),
        pytest.param(TRAIN.replace(b"\n", b"\r\n") + b"\x1a\r\n", id="Ctrl-Z in a last line"),
    ],
)
def test_row_43_found_10_tables_of_other_programs_are_read(tmp_path: Path, text: bytes) -> None:
    path = folder(tmp_path, changed(**{"digits/mnistm/train.csv": text}))
    report = course.check(path, None, True)
    assert report.faults == []
    assert report.tables[0].images == 12


@pytest.mark.parametrize("label", ["", "x", "1.5", "-1", "10", " 3", "03", "3.0", "²", "nan"])
def test_row_42_a_bad_label_is_named_by_table_and_line(tmp_path: Path, label: str) -> None:
    text = TRAIN.replace(b"00001.png,1", f"00001.png,{label}".encode())
    path = folder(tmp_path, changed(**{"digits/mnistm/train.csv": text}))
    (fault,) = course.check(path, None, True).faults
    assert str(fault).startswith(f"digits/mnistm/train.csv line 3: label {label!r} is not 0 to 9")
    assert ("SVHN" in str(fault)) == (label == "10")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "no rows: digits/mnistm/val.csv"),
        (b"\xef\xbb\xbf\r\n", "no rows: digits/mnistm/val.csv"),
        (b"image_name,label\n", "no rows: digits/mnistm/val.csv"),
        (b"00012.png,2\n00013.png,3\n", "wrong header: digits/mnistm/val.csv"),
        (b"name,digit\n00012.png,2\n", "wrong header: digits/mnistm/val.csv"),
        (b",image_name,label\n0,00012.png,2\n", "wrong header: digits/mnistm/val.csv"),
        (b"image_name;label\n00012.png;2\n", "wrong header: digits/mnistm/val.csv"),
        (b"version https://git-lfs.github.com\n", "wrong header: digits/mnistm/val.csv"),
        ("image_name,label\n".encode("utf-16"), "no CSV: digits/mnistm/val.csv"),
        (b'image_name,label\n"00012.png,2\n', "no CSV: digits/mnistm/val.csv line 2"),
    ],
)
def test_a_file_that_is_no_table_is_reported_once(
    tmp_path: Path, text: bytes, expected: str
) -> None:
    assert fault_list(folder(tmp_path, changed(**{"digits/mnistm/val.csv": text}))) == [expected]


def test_a_wrong_header_is_shown(tmp_path: Path) -> None:
    path = folder(tmp_path, changed(**{"digits/mnistm/val.csv": b"00012.png,2\n"}))
    (fault,) = course.check(path, None, True).faults
    assert "its first line is '00012.png,2'; make `image_name,label` the first" in str(fault)


VAL = "digits/mnistm/val.csv line 6"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("00012", f"cut row: {VAL}"),
        ("00012.png,2,0.9", f"cut row: {VAL}"),
        ("00013.png,3", f"repeated row: {VAL}"),
        ("00013.png,4", f"repeated row: {VAL}"),
        ("00003.png,3", f"image in two tables: {VAL}"),
        ("absent.png,3", "missing image: digits/mnistm/data/absent.png"),
        ("../data/00003.png,3", f"bad name: {VAL}"),
        ("../../../secret.png,3", f"bad name: {VAL}"),
        ("/etc/passwd,3", f"bad name: {VAL}"),
        ("C:\\x.png,3", f"bad name: {VAL}"),
        ("..,3", f"bad name: {VAL}"),
        (",3", f"bad name: {VAL}"),
        ("a\0b.png,3", f"bad name: {VAL}"),
    ],
)
def test_a_bad_row_is_named_by_line(tmp_path: Path, row: str, expected: str) -> None:
    text = made(("mnistm",), ("val",))["digits/mnistm/val.csv"] + row.encode() + b"\n"
    assert fault_list(folder(tmp_path, changed(**{"digits/mnistm/val.csv": text}))) == [expected]


def test_row_52_names_with_spaces_and_other_letters_are_read(tmp_path: Path) -> None:
    name = "ein Bild ü 数字.png"
    text = TRAIN.replace(b"00003.png", name.encode())
    files = changed(**{"digits/mnistm/train.csv": text, "digits/mnistm/data/00003.png": None})
    files[f"digits/mnistm/data/{name}"] = png(pixels("mnistm", 3))
    assert (
        fault_list(folder(tmp_path / "a", files))
        == fault_list(packed(tmp_path / "a.zip", files))
        == []
    )


def test_a_domain_without_train_csv_is_named_once(tmp_path: Path) -> None:
    path = folder(tmp_path, changed(**{"digits/mnistm/train.csv": None}))
    assert fault_list(path) == ["no table: digits/mnistm/train.csv"]


def test_a_domain_without_images_is_named_once(tmp_path: Path) -> None:
    files = made(("mnistm",), ("train",))
    path = folder(tmp_path, {n: c for n, c in files.items() if n.endswith(".csv")})
    assert fault_list(path) == ["no images: digits/mnistm/data"]


# Images


GOOD = png(pixels("mnistm", 2))


def flipped(offset: int) -> bytes:
    return GOOD[:offset] + bytes([GOOD[offset] ^ 1]) + GOOD[offset + 1 :]


def of_mode(mode: str) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(pixels("mnistm", 2))
    image.convert(mode).save(buffer, "JPEG" if mode == "CMYK" else "PNG")
    return buffer.getvalue()


def with_size(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        *((GOOD[: int(len(GOOD) * share)], "damaged image") for share in (0, 0.01, 0.5, 0.99)),
        pytest.param(GOOD[:-12], "damaged image", id="without its end chunk"),
        *(
            (flipped(offset), "damaged image")
            for offset in (20, 60, len(GOOD) // 2, len(GOOD) - 20)
        ),
        (b"<!DOCTYPE html>", "damaged image"),
        pytest.param(bytes(1 << 19), "damaged image", id="half a megabyte"),
        (with_size(32, 28), "wrong size"),
        (with_size(28, 27), "wrong size"),
        (None, "missing image"),
    ],
)
def test_row_40_a_bad_image_is_named(
    tmp_path: Path, content: bytes | None, expected: str, kind: str
) -> None:
    files = changed(**{"digits/mnistm/data/00002.png": content})
    path = folder(tmp_path, files) if kind == "folder" else packed(tmp_path / "a.zip", files)
    assert fault_list(path) == [f"{expected}: digits/mnistm/data/00002.png"]


def test_found_29_images_of_another_size_are_resized_and_counted_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image = Image.fromarray(np.arange(3072, dtype=np.uint16).reshape(32, 32, 3).astype(np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    path = folder(tmp_path, changed(**{"digits/mnistm/data/00002.png": buffer.getvalue()}))
    report = course.check(path, ["mnistm"], False)
    assert report.faults == []
    line = "mnistm: 1 images of 32x32 are made 28x28 (bilinear)"
    assert report.resizing() == [line]
    with caplog.at_level("INFO"):
        splits = list(course.contents(path, data(domains=("mnistm",))))
    assert [r.getMessage() for r in caplog.records].count(line) == 1
    expected = np.asarray(image.resize((28, 28), Image.Resampling.BILINEAR))
    found = [(image == expected).all() for _, _, digits in splits for image in digits.images]
    assert sum(found) == 1


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "I;16"])
def test_row_46_other_modes_become_three_channels(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        buffer = io.BytesIO()
        Image.fromarray(pixels("mnistm", 2)[..., 0].astype(np.uint16) * 257).save(buffer, "PNG")
        content = buffer.getvalue()
    else:
        content = of_mode(mode)
    path = folder(tmp_path, changed(**{"digits/mnistm/data/00002.png": content}))
    digits = read(path, domains=("mnistm",), test_labels=True)["mnistm", "train"]
    assert digits.images.shape == (12, 28, 28, 3)
    assert np.array_equal(digits.images[3], pixels("mnistm", 3))
    if mode == "I;16":
        assert np.array_equal(digits.images[2], pixels("mnistm", 2)[..., :1].repeat(3, axis=-1))


def test_usps_with_a_single_color_image_becomes_color(tmp_path: Path) -> None:
    files = made(("usps",), ("train",))
    files["digits/usps/data/00002.png"] = png(pixels("svhn", 2))
    report = course.check(folder(tmp_path, files), None, False)
    assert report.faults == []
    assert report.tables[0].modes == {"L": 11, "RGB": 1}
    everything = read(tmp_path, domains=("usps",))
    assert sum(digits.images.shape[-1] == 3 for digits in everything.values()) == 3


def test_a_gray_mnistm_has_three_channels(tmp_path: Path) -> None:
    files = made(("mnist",), ("train",), top="")
    renamed = {name.replace("mnist/", "mnistm/"): content for name, content in files.items()}
    splits = read(folder(tmp_path, renamed), domains=("mnistm",))
    assert {digits.images.shape[-1] for digits in splits.values()} == {3}


@pytest.mark.parametrize("copy", ["same file", "encoded anew", "gray as color"])
def test_row_51_the_same_pixels_in_two_tables_are_named(tmp_path: Path, copy: str) -> None:
    files = made(("usps",), ("train", "val"))
    array = pixels("usps", 5)
    files["digits/usps/data/00013.png"] = {
        "same file": files["digits/usps/data/00005.png"],
        "encoded anew": png(array) + b"more",
        "gray as color": png(array.repeat(3, axis=-1)),
    }[copy]
    (fault,) = course.check(folder(tmp_path, files), None, False).faults
    assert str(fault).startswith(
        "digits/usps/data/00013.png: of val.csv, has the same pixels as 00005.png of train.csv"
    )


def test_of_duplicate_images_only_the_reported_one_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = made(("usps",), ("train", "val"))
    files["digits/usps/data/00013.png"] = files["digits/usps/data/00005.png"]  # of val, of train
    files["digits/usps/data/00002.png"] = files["digits/usps/data/00001.png"]  # both of train
    path = folder(tmp_path, files)
    limits = {"train_images": None, "val_images": 1, "test_images": None}
    data = params.load().data.model_copy(update={"domains": ("usps",), **limits})
    splits = {split: digits for _, split, digits in course.contents(path, data)}
    assert "usps: 2 images omitted, same pixels as another: 00001.png, 00005.png" in caplog.text
    every = [image.tobytes() for digits in splits.values() for image in digits.images]
    assert len(every) == len(set(every)) == 14
    reported = {image.tobytes() for image in splits["test"].images}
    assert pixels("usps", 5).tobytes() in reported


def test_a_repeated_name_in_a_zip_is_a_fault(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", changed())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("digits/mnistm/data/00002.png", GOOD)
    assert fault_list(path) == ["name twice in the zip: digits/mnistm/data/00002.png"]


# Many at once, and messages


def many() -> Files:
    """A set with faults in both domains, in tables and in images."""
    files = made(("mnistm", "svhn"), ("train", "val"))
    for k in range(7):
        files[f"digits/mnistm/data/{k:05d}.png"] = b"text"
    del files["digits/svhn/data/00001.png"]
    files["digits/svhn/data/stray.png"] = GOOD
    files["digits/svhn/val.csv"] = files["digits/svhn/val.csv"].replace(b",3", b",10")
    return files


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    path = folder(tmp_path, many())
    assert sorted(fault_list(path)) == [
        "bad label: digits/svhn/val.csv line 3",
        *(f"damaged image: digits/mnistm/data/{k:05d}.png" for k in range(7)),
        "image without row: digits/svhn/data/stray.png",
        "missing image: digits/svhn/data/00001.png",
    ]
    assert summary(course.check(path, None, False).faults) == (
        "10 faults: 1 bad label, 1 missing image, 1 image without row, 7 damaged image"
    )


def test_contents_refuses_faults_before_the_first_image(tmp_path: Path) -> None:
    path = folder(tmp_path / "my set", many())
    lines = refusal(lambda: course.contents(path, data())).split("\n  ")
    assert lines == [
        f"{path}: 10 of its digits or rows cannot be used; run `hw2 check-data '{path}'` for all",
        "1 bad label: digits/svhn/val.csv line 3; write a digit 0 to 9",
        "1 missing image: digits/svhn/data/00001.png; restore the file, or remove the row",
        "1 image without row: digits/svhn/data/stray.png; "
        "add its row to a table, or remove the file",
        "7 damaged image: "
        + "".join(f"digits/mnistm/data/{k:05d}.png, " for k in range(5))
        + "...; restore the file",
    ]


def test_unused_domains_are_not_checked(tmp_path: Path) -> None:
    files = many()
    files |= made(("usps",), ("train",))
    splits = read(folder(tmp_path, files), domains=("usps",))
    assert {domain for domain, _ in splits} == {"usps"}


def test_the_error_for_an_absent_domain_lists_those_present(tmp_path: Path) -> None:
    path = folder(tmp_path, made(("mnistm", "usps"), ("train",)))
    message = refusal(lambda: course.contents(path, data()))
    assert message == (
        f"{path}: has no domain svhn, only mnistm, usps; remove it from data.domains and"
        " ddpm.domains, or add its folder"
    )


def test_row_50_an_empty_split_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path, made(("mnistm",), ("train",)))
    message = refusal(lambda: course.contents(path, data(domains=("mnistm",), val_images=12)))
    assert "leave none for the test split" in message


@pytest.mark.parametrize("name", ["absent", "empty", "page.zip", "faces.zip"])
def test_a_path_without_digits_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty/digits").mkdir(parents=True)
    (tmp_path / "page.zip").write_bytes(b"<!DOCTYPE html>")
    packed(tmp_path / "faces.zip", {"hw2_data/face/train/0.png": b"x"})
    message = refusal(lambda: course.check(tmp_path / name, None, False))
    assert message.startswith(f"{tmp_path / name}: ")
    assert message.endswith("name the course's hw2_data folder or zip (data.course in params.yaml)")
    assert "\n" not in message


def test_every_remedy_belongs_to_a_fault_of_the_source() -> None:
    source = "".join(p.read_text() for p in (ROOT / "src/hw2/digits").glob("*.py"))
    for kind in REMEDIES:
        assert source.count(f'"{kind}"') >= 2, kind


# Real data


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """60 images of every table of the real digits, as the course lays them out."""
    if not UNPACK.is_file():
        pytest.skip(f"no real data: {UNPACK} is not on this machine")
    path = tmp_path_factory.mktemp("real")
    subprocess.run(
        [sys.executable, str(UNPACK), str(path), "--limit", "60"], check=True, capture_output=True
    )
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in (path / "digits").rglob("*")
        if file.is_file()
    }


@pytest.mark.slow
def test_real_digits_have_no_fault(tmp_path: Path, real: Files) -> None:
    report = course.check(folder(tmp_path, real), None, True)
    assert report.faults == []
    assert [(s.domain, s.images, *s.modes) for s in report.tables] == [
        (domain, 60, mode)
        for domain, mode in (("mnist", "L"), ("mnistm", "RGB"), ("svhn", "RGB"), ("usps", "L"))
        for _ in range(3)
    ]


def test_the_label_lists_of_the_course_have_no_fault() -> None:
    """The label lists of 2024 in full: 56,000 and 79,431 rows, all good."""
    from hw2.digits import label_tables as tables

    lists = UNPACK.parent / "course/digits"
    if not lists.is_dir():
        pytest.skip(f"no label lists: {lists} is not on this machine")
    for domain, count, ones in (("mnistm", 56_000, 6269), ("svhn", 79_431, 15_201)):
        content = gzip.decompress((lists / domain / "train.csv.gz").read_bytes())
        parsed = tables.parse(content, "train.csv")
        assert (parsed.faults, len(parsed.names), parsed.digits.count(1)) == ([], count, ones)


Damage = Callable[[Files], list[str]]


def damages() -> Iterator[tuple[str, Damage]]:
    """Ten ways in which real sets are damaged, each with the faults that must be reported."""

    def replace(name: str, change: Callable[[bytes], bytes], *expected: str) -> Damage:
        def damage(files: Files) -> list[str]:
            files[name] = change(files[name])
            return list(expected)

        return damage

    image, text = "digits/mnistm/data/00007.png", "digits/mnistm/train.csv"
    usps = "digits/usps/val.csv"
    yield "cut image", replace(image, lambda b: b[: len(b) // 2], f"damaged image: {image}")
    yield (
        "flipped bit",
        replace(
            image, lambda b: b[:300] + bytes([b[300] ^ 4]) + b[301:], f"damaged image: {image}"
        ),
    )
    yield "empty image", replace(image, lambda b: b"", f"damaged image: {image}")
    yield "page for image", replace(image, lambda b: b"<html>", f"damaged image: {image}")
    yield "other size", replace(image, lambda b: with_size(32, 28), f"wrong size: {image}")
    yield (
        "cut table",
        replace(
            text,
            lambda b: b[:-5],
            f"cut row: {text} line 61",
            "image without row: digits/mnistm/data/00059.png",
        ),
    )
    yield "label 10", replace(usps, lambda b: b + b"x.png,10\n", f"bad label: {usps} line 62",
                              "missing image: digits/usps/data/x.png")  # fmt: skip
    yield "no header", replace(usps, lambda b: b.split(b"\n", 1)[1], f"wrong header: {usps}")

    def lost(files: Files) -> list[str]:
        del files[image], files["digits/mnist/data/00100.png"]
        return ["missing image: digits/mnist/data/00100.png", f"missing image: {image}"]

    def leaked(files: Files) -> list[str]:
        files["digits/mnistm/data/00170.png"] = files[image]
        return ["same pixels in two tables: digits/mnistm/data/00170.png"]

    yield "lost images", lost
    yield "train image in test", leaked


@pytest.mark.slow
@pytest.mark.parametrize("damage", [pytest.param(d, id=name) for name, d in damages()])
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_faults_of_damaged_real_data_are_reported_exactly(
    tmp_path: Path, real: Files, damage: Damage, kind: str
) -> None:
    files = dict(real)
    expected = damage(files)
    path = folder(tmp_path, files) if kind == "folder" else packed(tmp_path / "a.zip", files)
    assert fault_list(path) == expected

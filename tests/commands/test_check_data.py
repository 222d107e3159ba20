"""`hw2 check-data`: what a set of digits holds on stdout, every fault on stderr."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hw2 import cli

REPO = Path(__file__).parents[2]


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small zip: mnistm with train.csv of 11 rows and test.csv, and nothing wrong."""
    monkeypatch.chdir(REPO)
    path = tmp_path / "my data.zip"
    random = np.random.Generator(np.random.PCG64(1))
    with zipfile.ZipFile(path, "w") as archive:
        for table, names in (("train", range(11)), ("test", range(11, 13))):
            rows = ["image_name,label", *(f"{k}.png,{k % 10}" for k in names)]
            archive.writestr(f"hw2_data/digits/mnistm/{table}.csv", "\n".join(rows))
            for k in names:
                buffer = io.BytesIO()
                image = Image.fromarray(random.integers(0, 256, (28, 28, 3), np.uint8))
                image.save(buffer, "PNG")
                archive.writestr(f"hw2_data/digits/mnistm/data/{k}.png", buffer.getvalue())
    return path


def spoil(course: Path) -> None:
    """Add a domain with a stray image, and two rows that name nothing and have no label."""
    with zipfile.ZipFile(course, "a") as archive:
        archive.writestr("hw2_data/digits/usps/train.csv", "image_name,label\na.png,\nb.png,10")
        archive.writestr("hw2_data/digits/usps/data/c.png", "text")


def test_a_set_without_faults_is_counted(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-data", str(course)]) == 0
    heading, row, last = capsys.readouterr().out.splitlines()
    assert heading.split() == ["domain", "table", "images", *"0123456789", "same", "mode"]
    assert row.split() == ["mnistm", "train", "11", "2", *"111111111", "0", "RGB"]
    assert len(heading) <= len(row) + len("mode")
    assert last == "no problems found"


def test_test_labels_are_read_on_request(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-data", str(course), "--test-labels"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[2].split()[:3] == ["mnistm", "test", "2"]


def test_every_fault_has_a_line_and_the_last_is_a_summary(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(course)
    assert cli.main(["check-data", str(course)]) == 2
    captured = capsys.readouterr()
    assert "no problems found" not in captured.out
    assert [line.split()[:3] for line in captured.out.splitlines()[1:]] == [
        ["mnistm", "train", "11"],
        ["usps", "train", "0"],
    ]
    at = "hw2_data/digits/usps"
    lines = [line for line in captured.err.splitlines() if not line.startswith("check: image")]
    assert lines[0] == f"hw2 check-data: {course}:"
    assert [line.split(":")[0] for line in lines[1:-1]] == [
        f"{at}/train.csv line 2",
        f"{at}/train.csv line 3",
        f"{at}/data/a.png",
        f"{at}/data/b.png",
        f"{at}/data/c.png",
    ]
    assert lines[-1] == "5 faults: 2 bad label, 2 missing image, 1 image without row"


@pytest.mark.parametrize("path", ["absent", "."])
def test_a_path_without_digits_is_a_one_line_error(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPO)
    assert cli.main(["check-data", str(tmp_path / path)]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert "name the course's hw2_data folder or zip" in captured.err


def test_found_28_many_faults_of_a_kind_are_counted_not_listed(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{k}.png,{k % 10}\n" for k in range(1000))
    with zipfile.ZipFile(course, "a") as archive:
        archive.writestr("hw2_data/digits/usps/train.csv", f"image_name,label\n{rows}")
        archive.writestr("hw2_data/digits/usps/data/text.png", "text")
    assert cli.main(["check-data", str(course)]) == 2
    few = capsys.readouterr().err.splitlines()
    assert len(few) < 60
    assert "... and 980 more of missing image; `--all` lists them" in few
    assert cli.main(["check-data", str(course), "--all"]) == 2
    assert len(capsys.readouterr().err.splitlines()) > 1000

"""The course's zip on Google Drive: what is there is used, what comes is checked."""

import zipfile
from pathlib import Path
from typing import Any

import gdown
import pytest

from hw2.config import params
from hw2.digits import course_zip
from hw2.runtime.errors import UserError


@pytest.fixture
def data(tmp_path: Path) -> params.Data:
    values = {"source": "course", "course": str(tmp_path / "hw2_data"), "year": 2024}
    return params.load().data.model_copy(update=values)


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes | Exception) -> list[dict[str, Any]]:
    """Make Google's answer `content`; return the calls."""
    calls: list[dict[str, Any]] = []

    def download(**options: Any) -> str:
        calls.append(options)
        if isinstance(content, Exception):
            raise content
        Path(options["output"]).write_bytes(content)
        return str(options["output"])

    monkeypatch.setattr(gdown, "download", download)
    return calls


def zipped(tmp_path: Path) -> bytes:
    with zipfile.ZipFile(tmp_path / "any.zip", "w") as archive:
        archive.writestr("hw2_data/digits/mnistm/train.csv", "image_name,label\n")
    return (tmp_path / "any.zip").read_bytes()


def test_an_existing_folder_is_used(
    data: params.Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = serve(monkeypatch, OSError("not to be asked"))
    Path(data.course).mkdir()
    assert course_zip.find(data, tmp_path / "raw") == Path(data.course)
    assert not calls


def test_the_zip_of_the_year_is_downloaded_once(
    data: params.Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = serve(monkeypatch, zipped(tmp_path))
    for _ in range(2):
        path = course_zip.find(data, tmp_path / "raw")
    assert path == tmp_path / "raw/hw2_data_2024.zip"
    assert zipfile.is_zipfile(path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert [call["id"] for call in calls] == ["1W6Y1OmjzNw2qHoGDCpGOwGpw27wLg1fi"]
    assert calls[0]["resume"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<!DOCTYPE html><title>Quota exceeded</title>", "sent something that is not a zip file"),
        (gdown.exceptions.FileURLRetrievalError("quota"), "of 2024 cannot be downloaded (quota)"),
        (OSError("no route to host"), "of 2024 cannot be downloaded (no route to host)"),
    ],
)
def test_row_36_a_download_that_is_no_zip_is_a_one_line_error_and_leaves_no_file(
    data: params.Data,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: bytes | Exception,
    message: str,
) -> None:
    serve(monkeypatch, answer)
    with pytest.raises(UserError) as error:
        course_zip.find(data, tmp_path / "raw")
    assert message in str(error.value)
    assert "hw2_data (data.course)" in str(error.value)
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "raw").iterdir())

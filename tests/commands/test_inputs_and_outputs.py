"""Inputs and output folders of commands are checked before slow imports and before any work."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hw2 import cli
from hw2.commands import output_folder
from hw2.runtime import device
from hw2.runtime.errors import UserError

REPO = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone without results, in which choosing a device, which imports torch, is an error."""
    for name in ("dvc.yaml", "params.yaml", "paths.yaml", "profiles.yaml"):
        shutil.copy(REPO / name, tmp_path / name)
    for name in ("noise", "photographs"):
        (tmp_path / name).mkdir()
    (tmp_path / "input.json").write_text("{}")
    monkeypatch.chdir(tmp_path)

    def refuse(count: int) -> int:
        raise AssertionError("the device was chosen before the inputs were checked")

    monkeypatch.setattr(device, "use_threads", refuse)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("digits out", "model.safetensors: not a checkpoint of ddpm_train (no such file)"),
        ("export-digits out", "not a checkpoint of ddpm_train (no such file)"),
        ("export-digits out --model nowhere", "nowhere: no such file; name a checkpoint"),
        ("predict nowhere out.csv --target svhn", "nowhere: no such folder; name the folder"),
        ("faces nowhere out", "nowhere: no such folder; name the folder with 00.pt"),
        ("faces input.json out", "input.json: not a folder; name the folder with 00.pt"),
        ("faces noise out", "not a checkpoint of faces_train"),
        ("faces noise out UNet.pt", "UNet.pt: no such file; give UNet.pt"),
        ("faces noise out /UNet", "/UNet: no such file; give UNet.pt"),
        ("mse noise nowhere", "nowhere: no such folder; name the folder with 00.png"),
        ("mse nowhere noise", "nowhere: no such folder; sample the faces"),
        ("zero-shot nowhere out.csv", "nowhere: no such file; give a folder or zip"),
        ("sample-personalization nowhere.json out --embeddings noise", "nowhere.json: no such"),
        ("sample-personalization input.json out --embeddings no", "no: no such folder; correct"),
        ("sample-personalization input.json out", "run `dvc repro personalization_train`"),
        ("grade-personalization nowhere.json photographs noise", "nowhere.json: no such file"),
        ("grade-personalization input.json nowhere noise", "nowhere: no such folder"),
        ("grade-personalization input.json photographs nowhere", "nowhere: no such folder"),
        ("check-data nowhere", "nowhere: is not there"),
    ],
)
def test_a_missing_input_is_one_line_before_slow_imports(
    clone: Path, capsys: pytest.CaptureFixture[str], command: str, message: str
) -> None:
    assert cli.main(command.split()) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert "nowhere" not in error or "dvc repro" not in error
    assert not (clone / "out").exists()


@pytest.mark.parametrize(
    "command",
    ["digits {}", "export-digits {}", "faces noise {}", "sample-personalization input.json {}"],
)
def test_an_output_folder_below_a_file_is_refused_first(
    clone: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert cli.main(command.format("input.json/out").split()) == 2
    assert "input.json is a file; choose another folder" in capsys.readouterr().err
    assert (clone / "input.json").read_text() == "{}"


def test_a_link_to_an_empty_folder_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert output_folder.need_new(tmp_path / "link", Path("/")) == (tmp_path / "real").resolve()
    assert output_folder.need_new(tmp_path / "a/b", Path("/")) == (tmp_path / "a/b").resolve()
    assert not (tmp_path / "a").exists()


def _mount_point(folder: Path, patch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    (folder / "mount").mkdir()
    patch.setattr(os.path, "ismount", lambda path: path == (folder / "mount").resolve())
    return folder / "mount", Path("/")


def _read_only(folder: Path, patch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    patch.setattr(os, "access", lambda path, mode: False)
    return folder / "out", Path("/")


def _working_folder(folder: Path, patch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    return folder, folder


def _loop(folder: Path, patch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    (folder / "loop").symlink_to("loop")
    return folder / "loop", Path("/")


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (_mount_point, "is a mount point; name a new folder in it"),
        (_read_only, "is not writable; choose another folder"),
        (_working_folder, "is the working folder; name a new folder in it"),
        (_loop, "loop: "),
    ],
)
def test_a_folder_that_cannot_be_replaced_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arrange: Callable[[Path, pytest.MonkeyPatch], tuple[Path, Path]],
    message: str,
) -> None:
    out, working_folder = arrange(tmp_path, monkeypatch)
    with pytest.raises(UserError, match=message):
        output_folder.need_new(out, working_folder)

"""Inputs and output folders of commands are checked before slow imports and before any work."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hw2 import cli
from hw2.commands import outputs
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
def test_found_30_a_missing_input_is_one_line_before_slow_imports(
    clone: Path, capsys: pytest.CaptureFixture[str], command: str, message: str
) -> None:
    assert cli.main(command.split()) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert "nowhere" not in error or "dvc repro" not in error
    assert not (clone / "out").exists()


NEW_FOLDER, FOLDERS, FILE = "new folder", "folder of model folders", "file"
WRITING = {
    "digits {}": NEW_FOLDER,
    "export-digits {}": NEW_FOLDER,
    "faces noise {}": NEW_FOLDER,
    "sample-personalization input.json {}": NEW_FOLDER,
    "export-models {}": FOLDERS,
    "predict noise {} --target svhn": FILE,
    "zero-shot noise {}": FILE,
}
"""Every command that writes to a path of the user's own, and what it writes there."""

BAD_OUTPUTS = {
    "file": ((NEW_FOLDER, FOLDERS), "file"),
    "link to a file": ((NEW_FOLDER, FOLDERS, FILE), "link"),
    "link to itself": ((NEW_FOLDER, FOLDERS, FILE), "loop"),
    "folder with files": ((NEW_FOLDER, FILE), "full"),
    "empty folder": ((FILE,), "noise"),
    "below a file": ((NEW_FOLDER, FOLDERS, FILE), "file/out"),
    "folder without write permission": ((NEW_FOLDER, FOLDERS, FILE), "locked/out"),
    "name that is too long": ((NEW_FOLDER, FOLDERS, FILE), 300 * "x"),
    "mount point": ((NEW_FOLDER, FILE), "mount"),
    "mount point of a model": ((FOLDERS,), "models"),
    "link in place of a model": ((FOLDERS,), "links"),
    "file in place of a model": ((FOLDERS,), "files"),
}
"""What an output may be wrong by, for which kinds of output, and its path in `_bad_outputs`."""


def _bad_outputs(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("mine")
    (folder / "link").symlink_to("file")
    (folder / "loop").symlink_to("loop")
    for name in ("full", "locked", "mount", "models/clip", "links/elsewhere", "files"):
        (folder / name).mkdir(parents=True)
    (folder / "full/notes.txt").write_text("mine")
    (folder / "links/clip").symlink_to("elsewhere")
    (folder / "files/faces").write_text("mine")
    mounts = {(folder / name).resolve() for name in ("mount", "models/clip")}
    patch.setattr(os.path, "ismount", lambda path: path in mounts)
    access, locked = os.access, (folder / "locked").resolve()
    # A superuser, as in a container, may write everywhere, so the permission is simulated.
    patch.setattr(os, "access", lambda path, mode: path != locked and access(path, mode))


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        pytest.param(command, reason, id=f"{command.split()[0]}: {reason}")
        for command, kind in WRITING.items()
        for reason, (kinds, _) in BAD_OUTPUTS.items()
        if kind in kinds
    ],
)
def test_found_03_a_bad_output_is_refused_before_any_work(
    clone: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    reason: str,
) -> None:
    """`clone` has no models and forbids a device, so that any later step has another error."""
    _bad_outputs(clone, monkeypatch)
    out = BAD_OUTPUTS[reason][1]
    before = sorted(clone.rglob("*"))
    modules = set(sys.modules)
    assert cli.main(command.format(out).split()) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"hw2 {command.split()[0]}: {clone / out}")
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert sorted(clone.rglob("*")) == before
    assert (clone / "file").read_text() == "mine"
    assert not {name for name in set(sys.modules) - modules if name.startswith("hw2.stages")}


def test_every_command_with_an_output_is_in_the_table() -> None:
    parser = cli._parser()
    commands = next(a.choices for a in parser._actions if a.dest == "command")
    assert commands is not None
    takes_out = {
        name
        for name, command in commands.items()  # type: ignore[attr-defined]
        if any(action.dest == "out" for action in command._actions)
    }
    # `mse` reads OUT: it is what `faces` wrote.
    assert takes_out - {"mse"} == {command.split()[0] for command in WRITING}


@pytest.mark.parametrize("command", ["predict {} --target svhn", "zero-shot {}"])
def test_the_output_is_checked_before_the_input(
    clone: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert cli.main(command.format("nowhere input.json/out.csv").split()) == 2
    assert "input.json is a file; choose another file" in capsys.readouterr().err


def test_found_03_a_link_to_an_empty_folder_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert outputs.need_new_folder(tmp_path / "link", Path("/")) == (tmp_path / "real").resolve()
    assert outputs.need_new_folder(tmp_path / "a/b", Path("/")) == (tmp_path / "a/b").resolve()
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
def test_found_03_a_folder_that_cannot_be_replaced_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arrange: Callable[[Path, pytest.MonkeyPatch], tuple[Path, Path]],
    message: str,
) -> None:
    out, working_folder = arrange(tmp_path, monkeypatch)
    with pytest.raises(UserError, match=message):
        outputs.need_new_folder(out, working_folder)

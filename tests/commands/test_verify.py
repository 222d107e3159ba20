"""`hw2 verify` finds any changed byte, names file and stage, and its remedies work."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from hw2 import cli
from hw2.cli import integrity
from hw2.io import manifest

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  make:
    cmd: mkdir -p results/folder/sub && cp data.txt results/folder/sub/a.txt
      && echo b > results/folder/b.txt && cp data.txt results/model.bin && cp data.txt record.json
    deps: [data.txt]
    outs: [results/folder, results/model.bin, record.json: {cache: false}]
"""
MODEL = "data/pretrained/clip/weights"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout, the working folder, with one stage that ran and a pretrained model."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    root = tmp_path / "checkout"
    (root / MODEL).parent.mkdir(parents=True)
    monkeypatch.chdir(root)
    integrity._cache.cache_clear()
    (root / MODEL).write_text("weights")
    manifest.write((root / MODEL).parent)
    (root / "data.txt").write_text("data")
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "paths.yaml").write_text("path:\n  pretrained_clip: data/pretrained/clip/SHA256SUMS\n")
    git("init", "-q")
    Repo.init()
    (root / ".dvcignore").write_text("# made by running\n__pycache__/\n.snakemake_timestamp\n")
    with Repo() as repo:
        repo.reproduce()
    git("add", "-A")
    git("-c", "user.name=t", "-c", "user.email=t@example.invalid", "commit", "-qm", "built")
    return root


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)


def flip(path: Path) -> None:
    """Change a byte, and leave size and date, by which tools notice changes, as they are."""
    status = path.stat()
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def verify(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    capsys.readouterr()
    code = cli.main(["verify", *options])
    return code, capsys.readouterr().out


def test_what_dvc_recorded_is_verified(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "results/folder/.snakemake_timestamp").touch()
    (checkout / "results/folder/__pycache__").mkdir()
    (checkout / "results/folder/__pycache__/a.pyc").touch()
    assert verify(capsys) == (0, "all 4 items are as recorded\n")
    code, text = verify(capsys, "--cache")
    # Beside three outputs and a model, the cache has two contents and the list of the folder.
    assert (code, text) == (0, "all 7 items are as recorded\n")


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ("results/model.bin", "delete results/model.bin and run `dvc repro make`"),
        ("results/folder/sub/a.txt", "delete results/folder and run `dvc repro make`"),
        ("record.json", "run `git checkout record.json`"),
        (MODEL, "run `git checkout data/pretrained/clip`"),
    ],
)
def test_row_23_found_18_a_flipped_byte_is_found_and_the_remedy_named(
    checkout: Path, capsys: pytest.CaptureFixture[str], path: str, remedy: str
) -> None:
    flip(checkout / path)
    code, text = verify(capsys)
    assert code == 1
    (line,) = text.splitlines()
    assert line.startswith(f"changed: {path} (recorded ")
    assert line.endswith(remedy)


def test_row_27_an_edit_a_loss_and_a_new_file_are_told_apart(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "results/model.bin").unlink()
    (checkout / "results/folder/b.txt").unlink()
    (checkout / "results/folder/c.txt").write_text("new")
    code, text = verify(capsys)
    assert code == 1
    starts = [line.partition(";")[0] for line in text.splitlines()]
    assert starts == [
        "missing: results/folder/b.txt",
        "unexpected: results/folder/c.txt",
        "missing: results/model.bin",
    ]


def test_row_23_found_18_a_damaged_cache_object_is_found_with_the_stage_that_makes_it(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(capsys)[0] == 0
    objects = checkout / ".dvc/cache/files/md5"
    (checkout / "results/model.bin").unlink()  # it may be a link to the object
    (checkout / "results/folder/sub/a.txt").unlink()
    (damaged,) = [path for path in objects.glob("*/*") if path.read_bytes() == b"data"]
    flip(damaged)
    code, text = verify(capsys, "--cache", "--json")
    assert code == 1
    found = [d for d in json.loads(text)["differences"] if ".dvc/cache" in d["path"]]
    assert [(d["kind"], d["stage"]) for d in found] == [("changed", "make")]
    assert found[0]["path"].endswith(damaged.relative_to(checkout).as_posix())
    assert found[0]["expected"] == damaged.parent.name + damaged.name


def test_row_23_the_remedy_restores_the_file(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(checkout / "results/model.bin")
    assert verify(capsys)[0] == 1
    (checkout / "results/model.bin").unlink()
    with Repo() as repo:
        repo.reproduce(["make"])
    assert verify(capsys)[0] == 0


def test_without_a_list_in_the_cache_the_folder_is_named(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (listing,) = (checkout / ".dvc/cache/files/md5").glob("*/*.dir")
    listing.unlink()
    flip(checkout / "results/folder/b.txt")
    code, text = verify(capsys)
    assert code == 1
    assert text.startswith("changed: results/folder (recorded ")


@pytest.mark.parametrize("content", ["", "schema: '2.0'\nsta", "[]", "stages: {make: {outs: [1]}}"])
def test_a_damaged_dvc_lock_is_one_line_with_the_remedy(
    checkout: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (checkout / "dvc.lock").write_text(content)
    assert cli.main(["verify"]) == 2
    (message,) = capsys.readouterr().err.splitlines()
    assert message.startswith("hw2 verify: dvc.lock")
    assert "run `hw2 plan`, which rebuilds it" in message


def test_a_usage_error_exits_with_2(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["verify", "--cahce"])
    assert caught.value.code == 2
    assert "did you mean '--cache'?" in capsys.readouterr().err

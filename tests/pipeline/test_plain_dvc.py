"""Plain `dvc`, started in an environment with our start-up file, keeps and heals its own files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hw2.pipeline import dvc_lock, files_in_use, plain_dvc

pytestmark = pytest.mark.slow

# A program that starts as in an environment whose site-packages is the folder of the start-up file.
PROGRAM = """\
import site, sys
site.addsitedir({folder!r})
{rest}
"""
DVC = "from dvc.cli import main; sys.exit(main())"
LOADED = "print('hw2.pipeline.plain_dvc' in sys.modules)"


def started(
    folder: Path, name: str, rest: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The result of a program of this name, with the start-up file in `folder`."""
    folder.mkdir(exist_ok=True)
    plain_dvc.add_start_up_file(folder)
    program = folder / name
    program.write_text(PROGRAM.format(folder=str(folder), rest=rest))
    command = [sys.executable, str(program), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | environment
    )


@pytest.mark.parametrize(
    ("command", "kept"),
    [("repro", 0), ("repro", 50), ("repro", 9), ("exp run", 0)],
    ids=["empty", "cut in a value", "cut", "experiment"],
)
def test_row_09_found_15_plain_repro_heals_what_a_killed_one_left(
    repository: Path, tmp_path: Path, command: str, kept: int
) -> None:
    lock = (repository / "dvc.lock").read_bytes()
    (repository / "dvc.lock").write_bytes(lock[:kept])
    (repository / files_in_use.LIST).write_bytes(b'{"write": {"/'[:kept])
    done = started(tmp_path / "site-packages", "dvc", DVC, *command.split())
    assert done.returncode == 0, done.stderr
    assert "Running stage" not in done.stdout
    assert [line.partition(": was damaged")[0] for line in done.stderr.splitlines()] == [
        str(repository / files_in_use.LIST),
        dvc_lock.LOCK,
    ]
    assert (repository / "dvc.lock").read_bytes() == lock


def test_row_09_plain_dvc_replaces_its_files_as_a_whole(repository: Path, tmp_path: Path) -> None:
    (repository / "data.txt").write_text("two")
    files = [repository / "dvc.lock", repository / files_in_use.LIST]
    before = [path.stat().st_ino for path in files]
    done = started(tmp_path / "site-packages", "dvc", DVC, "repro")
    assert done.returncode == 0, done.stderr
    assert (repository / "copy.txt").read_text() == "two"
    assert all(path.stat().st_ino != number for path, number in zip(files, before, strict=True))


def test_a_merge_conflict_in_dvc_lock_is_the_user_s(repository: Path, tmp_path: Path) -> None:
    conflict = b"<<<<<<< ours\n" + (repository / "dvc.lock").read_bytes()
    (repository / "dvc.lock").write_bytes(conflict)
    done = started(tmp_path / "site-packages", "dvc", DVC, "repro")
    assert done.returncode == 1
    (message,) = done.stderr.splitlines()
    assert message.startswith("dvc: dvc.lock: holds a merge conflict; take one side")
    assert (repository / "dvc.lock").read_bytes() == conflict


@pytest.mark.parametrize(("name", "loaded"), [("dvc", True), ("dvc.exe", True), ("other", False)])
def test_other_programs_do_not_load_anything(tmp_path: Path, name: str, loaded: bool) -> None:
    assert started(tmp_path, name, LOADED).stdout == f"{loaded}\n"


def test_plain_dvc_starts_beside_an_older_version(tmp_path: Path) -> None:
    older = tmp_path / "older"
    (older / "hw2/pipeline").mkdir(parents=True)
    for package in ("hw2", "hw2/pipeline"):
        (older / package / "__init__.py").touch()
    done = started(tmp_path / "site", "dvc", DVC, "--version", PYTHONPATH=str(older))
    assert (done.returncode, done.stderr) == (0, "")

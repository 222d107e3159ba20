"""A damaged `dvc.lock` is rebuilt from notes that stages keep: nothing finished runs again."""

import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from hw2.pipeline import declared, lock_backup, lock_repair

pytestmark = pytest.mark.slow

# The output of `train` is partly in Git, so DVC's run cache holds no run of it.
PIPELINE = """\
stages:
  first:
    cmd: cp data.txt ${path.copy}
    deps: [data.txt]
    outs: ["${path.copy}"]
  train:
    cmd: cp ${path.copy} ${path.model} && cp ${path.copy} ${path.record}
    deps: ["${path.copy}"]
    outs: ["${path.model}", "${path.record}": {cache: false}]
vars: [paths.yaml]
"""
PATHS = "path: {copy: copy.txt, model: model.txt, record: record.json}\n"
NO_PARAMETERS: dict[str, object] = {}  # the repository of these tests has no params.yaml


@pytest.fixture
def pipeline(repository: Path) -> Path:
    """The repository with the two stages, both of which ran on data newer than the commit."""
    (repository / "paths.yaml").write_text(PATHS)
    (repository / "dvc.yaml").write_text(PIPELINE)
    (repository / "dvc.lock").unlink()
    reproduce()
    subprocess.run(["git", "add", "-A"], check=True)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    subprocess.run(["git", *identity, "commit", "-qm", "both"], check=True)
    (repository / "data.txt").write_text("two")
    return repository


def reproduce(*stages: str) -> list[str]:
    with Repo() as repo:
        targets = list(stages) or None
        return [stage.addressing for stage in repo.reproduce(targets, single_item=bool(stages))]


def finished(stage: str) -> None:
    """What the runner does when a stage ends well."""
    lock_backup.finished(stage, declared.entry(stage), NO_PARAMETERS)


def due() -> set[str]:
    with Repo() as repo:
        return set(repo.status())


def test_found_15_the_copy_of_the_last_start_is_newer_than_the_commit(pipeline: Path) -> None:
    reproduce()
    complete = (pipeline / "dvc.lock").read_bytes()
    lock_backup.keep()
    (pipeline / "dvc.lock").write_bytes(b"")
    lock_repair.repair()
    assert due() == set()
    assert (pipeline / "dvc.lock").read_bytes() == complete


def test_found_15_a_finished_stage_without_a_run_cache_is_entered_from_its_note(
    pipeline: Path,
) -> None:
    reproduce("first")
    lock_backup.keep()  # as the runner does when `train` starts, and at its end:
    reproduce("train")
    finished("train")
    (pipeline / "dvc.lock").write_bytes(b"schema: '2")  # killed while DVC wrote
    lock_repair.repair()
    assert due() == set()
    assert reproduce() == []


@pytest.mark.parametrize("path", ["model.txt", "record.json", "copy.txt", "dvc.yaml"])
def test_found_15_a_note_of_other_content_enters_nothing(pipeline: Path, path: str) -> None:
    lock_backup.keep()
    reproduce()
    finished("train")
    changed = pipeline / path
    text = changed.read_text().replace("cp ${path.copy} ${path.record}", "cp data.txt record.json")
    changed.unlink()  # a link into DVC's cache is not written through
    changed.write_text(f"{text}\n# edited\n" if path == "dvc.yaml" else "edited")
    (pipeline / "dvc.lock").write_bytes(b"")
    lock_repair.repair()
    assert "train" in due()


def test_found_15_the_entry_is_taken_that_fits_the_working_tree(pipeline: Path) -> None:
    reproduce()
    lock_backup.keep()
    subprocess.run(["git", "checkout", "-q", "data.txt", "record.json"], check=True)
    reproduce()  # restored as committed; the copy is of other data
    (pipeline / "dvc.lock").write_bytes(b"")
    lock_repair.repair()
    assert due() == set()


def test_a_damaged_copy_is_no_source(pipeline: Path) -> None:
    (pipeline / "dvc.lock").write_bytes(b"schema: ")
    lock_backup.keep()
    lock_repair.repair()
    committed = subprocess.run(["git", "show", "HEAD:dvc.lock"], capture_output=True, check=True)
    assert (pipeline / "dvc.lock").read_bytes() == committed.stdout


def test_a_note_is_kept_only_where_the_run_cache_holds_nothing(pipeline: Path) -> None:
    reproduce()
    finished("first")
    finished("train")
    assert lock_backup.noted() == ["train"]
    lock_backup.forget("train")
    assert lock_backup.noted() == []

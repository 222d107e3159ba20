"""A stage that finished but that `dvc.lock` does not record gets its outputs back."""

import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo

from hw2.config import params, profiles
from hw2.pipeline import declared, unrecorded

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PIPELINE = """\
stages:
  train:
    cmd: mkdir -p ${path.model} && cp data.txt ${path.model}/weights && cp data.txt ${path.record}
    deps: [data.txt]
    params: [judge.seed]
    outs: ["${path.model}", "${path.record}": {cache: false}]
vars: [paths.yaml]
"""


@pytest.fixture
def pipeline(repository: Path) -> Path:
    """The repository with one stage, which has not run yet."""
    (repository / "paths.yaml").write_text("path: {model: results/model, record: results/r.json}\n")
    (repository / "dvc.yaml").write_text(PIPELINE)
    (repository / "dvc.lock").unlink()
    shutil.copy(ROOT / "params.yaml", repository)
    return repository


def inputs() -> dict[str, object]:
    entry = declared.entry("train")
    view = declared.restrict_params(params.load(), declared.of_entry("train", entry))
    return unrecorded.inputs(entry, view.model_dump())


def finish(root: Path) -> None:
    """What a stage does that is killed with DVC at its end, and DVC at its next start."""
    (root / "results/model").mkdir(parents=True)
    (root / "results/model/weights").write_text("trained")
    (root / "results/r.json").write_text("{}")
    unrecorded.keep("train", inputs())
    shutil.rmtree(root / "results")


def record() -> None:
    with Repo() as repo:
        repo.reproduce()


def test_the_outputs_of_an_unrecorded_stage_are_put_back_as_copies(pipeline: Path) -> None:
    finish(pipeline)
    unrecorded.drop_recorded()
    assert unrecorded.restore("train")
    weights = pipeline / "results/model/weights"
    assert weights.read_text() == "trained"
    assert (pipeline / "results/r.json").read_text() == "{}"
    # The kept file may be one of DVC's cache by now.
    assert weights.stat().st_nlink == 1


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("data.txt", "one", "two"),
        ("dvc.yaml", "mkdir", "mkdir -v"),
        ("params.yaml", "\njudge:", "\nunknown: 1\njudge:"),
    ],
)
def test_other_inputs_put_nothing_back(pipeline: Path, file: str, old: str, new: str) -> None:
    finish(pipeline)
    path = pipeline / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert not unrecorded.restore("train")
    assert not (pipeline / "results").exists()


def test_another_value_of_a_declared_parameter_puts_nothing_back(pipeline: Path) -> None:
    finish(pipeline)
    seed = params.load().judge.seed
    profiles.set_values(pipeline / "params.yaml", {"judge.seed": seed + 1})
    assert not unrecorded.restore("train")
    profiles.set_values(pipeline / "params.yaml", {"judge.seed": seed})
    assert unrecorded.restore("train")


def test_a_stage_with_an_output_runs(pipeline: Path) -> None:
    finish(pipeline)
    (pipeline / "results").mkdir()
    (pipeline / "results/r.json").write_text("{}")
    assert not unrecorded.restore("train")


def test_outputs_that_dvc_has_recorded_are_dropped(pipeline: Path) -> None:
    record()
    unrecorded.keep("train", inputs())
    unrecorded.drop_recorded()
    assert not (unrecorded.FOLDER / "train").exists()
    assert not unrecorded.restore("train")


@pytest.mark.parametrize("lock", [None, b"", b"schema: '2", b"stages: [1]"])
def test_a_lock_file_that_cannot_be_read_records_nothing(
    pipeline: Path, lock: bytes | None
) -> None:
    finish(pipeline)
    if lock is not None:
        (pipeline / "dvc.lock").write_bytes(lock)
    unrecorded.drop_recorded()
    assert unrecorded.restore("train")


def test_without_dvc_nothing_is_kept(pipeline: Path) -> None:
    shutil.rmtree(pipeline / ".dvc")
    finish(pipeline)
    assert not (pipeline / ".dvc").exists()
    assert not unrecorded.restore("train")

"""Jobs of a grid: what its runs share, what puts a job out of date, and working copies."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hw2.config import grids
from hw2.config.grids import Grid
from hw2.io import files
from hw2.pipeline import grid_jobs, working_copy
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.slow

REPO = Path(__file__).parents[2]
DVC = """
stages:
  data: {cmd: x, params: [data], outs: ["${path.data}"]}
  train:
    cmd: x
    meta: {resources: {gpu: 1, runtime: 60}}
    deps: ["${path.data}"]
    params: [model.seed, model.train]
    outs: ["${path.model}"]
  sample:
    cmd: x
    meta: {resources: {runtime: 10, mem_mb: 100}}
    deps: ["${path.model}"]
    params: [model.sampling]
    plots: ["${path.details}": {cache: false}]
  other: {cmd: x, deps: ["${path.data}"]}
"""
PATHS = """
path:
  data: data
  model: results/model
  details: results/details/model.json
  headline_details: results/details/headline.json
  checkpoints: checkpoints
"""


def grid(**changes: Any) -> Grid:
    entry = {
        "description": "A grid",
        "stages": ["sample"],
        "numbers": ["*"],
        "seeds": {"keys": ["model.seed"], "values": [1, 2, 3]},
        "parameters": {"model.sampling.scale": [1.0, 2.0]},
    }
    return Grid.model_validate(entry | changes)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dvc.yaml").write_text(DVC)
    (tmp_path / "paths.yaml").write_text(PATHS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_stage_is_a_job_for_each_combination_that_reaches_it(folder: Path) -> None:
    jobs = {job.name: job for job in grid_jobs.jobs("g", grid())}
    assert len(jobs) == 1 + 3 + 6
    assert jobs["shared"].stages == ("data",)
    assert jobs["seed-2"].stages == ("train",)
    assert jobs["seed-2"].after == ("shared",)
    assert jobs["seed-2"].resources == {"gpu": 1, "runtime": 60}
    last = jobs["scale-2.0_seed-2"]
    assert last.stages == ("sample",)
    assert last.after == ("seed-2",)
    assert last.details == (Path("results/details/model.json"),)
    assert last.values == {"model.sampling.scale": 2.0, "model.seed": 2}
    assert last.resources == {"runtime": 10, "mem_mb": 100}
    assert last.record == Path("checkpoints/grids/g/scale-2.0_seed-2.json")


def test_a_section_that_a_stage_reads_a_part_of_reaches_it(folder: Path) -> None:
    jobs = grid_jobs.jobs("g", grid(parameters={"model": [{}, {"a": 1}]}))
    assert [job.stages for job in jobs if job.name != "shared"] == [("train", "sample")] * 6
    assert jobs[-1].resources == {"gpu": 1, "runtime": 70, "mem_mb": 100}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": ["sampel"]}, r"no stage 'sampel'; did you mean 'sample'\?"),
        ({"parameters": {"faces.seed": [1]}}, "no stage of sample reads faces.seed"),
    ],
)
def test_what_the_stages_do_not_have_is_refused(
    folder: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        grid_jobs.jobs("g", grid(**change))


def test_a_run_is_complete_when_all_its_jobs_are_done(folder: Path) -> None:
    jobs = grid_jobs.jobs("g", grid())
    for job in jobs:
        if job.name not in ("seed-1", "scale-1.0_seed-2"):
            files.write_json(job.record, {})
    done = grid_jobs.complete(grid(), jobs)
    assert [point.name for point, _ in done] == [
        "scale-1.0_seed-3", "scale-2.0_seed-2", "scale-2.0_seed-3"
    ]  # fmt: skip
    assert done[0][1] == [Path("checkpoints/grids/g/scale-1.0_seed-3/results/details/model.json")]


def test_an_edit_of_the_sources_puts_jobs_out_of_date(repository: Path) -> None:
    shutil.copy(REPO / "grids.yaml", ".")
    Path("dvc.yaml").write_text(DVC)
    Path("paths.yaml").write_text(PATHS)
    jobs = grid_jobs.jobs("g", grid())
    grid_jobs.prepare("g", jobs)
    _, sources = grid_jobs.prepared("g")
    for job in jobs:
        files.write_json(job.record, {"key": job.key(sources)})
    Path("README.md").write_text("text")
    grid_jobs.prepare("g", jobs)
    assert all(job.record.exists() for job in jobs)
    Path("params.yaml").write_text("model: {}")
    grid_jobs.prepare("g", jobs)
    assert not any(job.record.exists() for job in jobs)


def test_a_snapshot_holds_edits_and_leaves_the_index_alone(repository: Path) -> None:
    head = git("rev-parse", "HEAD")
    assert working_copy.snapshot() == head
    Path("data.txt").write_text("two")
    Path("new.txt").write_text("new")
    commit = working_copy.snapshot()
    assert git("show", f"{commit}:data.txt") == "two"
    assert git("show", f"{commit}:new.txt") == "new"
    assert git("rev-parse", "HEAD") == head
    assert git("status", "--porcelain").split() == ["M", "data.txt", "??", "new.txt"]


def test_a_copy_shares_the_cache_and_keeps_what_git_ignores(repository: Path) -> None:
    copy = repository / "copies" / "one"
    Path("dvc.yaml").write_text(Path("dvc.yaml").read_text() + "\n")
    Path(".gitignore").write_text("copies\nkept\ncopy.txt\n")
    working_copy.refresh(copy, working_copy.snapshot())
    assert (copy / "dvc.yaml").read_text() == Path("dvc.yaml").read_text()
    dvc = subprocess.run(["dvc", "repro"], cwd=copy, capture_output=True, text=True, check=True)
    assert "Running" not in dvc.stdout
    assert (copy / "copy.txt").read_text() == "one"

    (copy / "kept").write_text("resume file")
    (copy / "stray").write_text("")
    (copy / "data.txt").write_text("edited")
    Path("dvc.yaml").write_text(Path("dvc.yaml").read_text() + "\n")
    working_copy.refresh(copy, working_copy.snapshot())
    assert (copy / "data.txt").read_text() == "one"
    assert (copy / "kept").exists()
    assert not (copy / "stray").exists()


def test_a_folder_without_a_commit_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="run it in a clone with a commit"):
        working_copy.snapshot()


def test_the_grids_of_this_repository_have_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    for name, entry in grids.read().items():
        jobs = grid_jobs.jobs(name, entry)
        assert jobs[0].name == "shared"
        assert any(job.details for job in jobs), name


def test_three_seeds_by_four_guidance_scales_are_twelve_runs_and_three_trainings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(REPO)
    jobs = grid_jobs.jobs("guidance", grids.get("guidance"))
    training = {job.name for job in jobs if "ddpm_train" in job.stages}
    assert training == {"seed-1", "seed-2", "seed-3"}
    runs = [job for job in jobs if "ddpm_evaluate" in job.stages]
    assert len({tuple(job.point.by_axis.items()) for job in runs}) == len(runs) == 12
    assert all(len(training.intersection(job.after)) == 1 for job in runs)


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()

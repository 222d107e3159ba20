"""The stages of dvc.yaml as DVC resolves them, and which of them changed, for the Snakefile.

DVC decides from content what is stale; Snakemake sees only file times and missing files. Two kinds
of files under `.snakemake/dvc` pass the decision on, so that the time of a data file plays no role
(a clone or a checkout gives files times in any order):

* `run-changed` is written anew at every start of Snakemake. It is an input of the stages that DVC
  reports as changed, so these run.
* `<stage>.done` is an output of each stage and an input of the stages that use its results. Before
  each run all of them get the oldest possible time, so that they trigger nothing by themselves. But
  a stage whose inputs are rebuilt in this run runs after them, whatever the reason.

Data files are `ancient()` in the Snakefile: one that is missing is rebuilt if a job needs it, and
otherwise left alone.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo
from dvc.stage import PipelineStage

from hw2.config import profiles
from hw2.io import timings
from hw2.pipeline import dvc_errors, files_in_use, lock_repair, schedule
from hw2.runtime.errors import UserError

MARKS = Path(".snakemake/dvc")
RUN_CHANGED = str(MARKS / "run-changed")
OLDEST = 1  # second of 1970; Snakemake takes 0 for "no time known" and then compares nothing
MISSING = {"deleted", "not in cache"}  # verdicts of DVC that do not make a stage stale


@dataclass(frozen=True)
class Stage:
    """One stage, as a Snakemake rule needs it."""

    name: str
    desc: str
    deps: list[str]
    files: list[str]
    folders: list[str]
    before: list[str]  # the stages that make `deps`
    changed: bool
    meta: dict[str, Any]
    priority: int = 0  # seconds of the longest chain of stages that it begins

    @property
    def after(self) -> list[str]:
        """`.done` marks of the stages before."""
        return [_mark(name) for name in self.before]

    @property
    def done(self) -> str:
        return _mark(self.name)

    @property
    def run_changed(self) -> list[str]:
        return [RUN_CHANGED] if self.changed else []

    @property
    def outs(self) -> list[str]:
        return self.files + self.folders


def load(check: bool = True) -> list[Stage]:
    """Return all stages; with `check`, ask DVC which of them changed; jobs need not ask again."""
    with dvc_errors.explained():
        if not check:
            return _stages(Repo(), {})
        files_in_use.guard()  # first, because the repair asks DVC
        lock_repair.repair()
        with Repo(_wait_for_lock=True) as repo:
            status = repo.status()
        if "code" in status:
            _write_fingerprints()
        with Repo(_wait_for_lock=True) as repo:
            stages = _stages(repo, repo.status() if "code" in status else status)
        _set_marks(stages)
        _correct_future_dates(stages)
    return _with_priorities(stages)


def _stages(repo: Repo, status: dict[str, Any]) -> list[Stage]:
    stages = [stage for stage in repo.index.stages if isinstance(stage, PipelineStage)]
    makers = {out.def_path: stage.addressing for stage in stages for out in stage.outs}
    return [_stage(stage, makers, status.get(stage.addressing, [])) for stage in stages]


def _with_priorities(stages: list[Stage]) -> list[Stage]:
    """The recorded times of the default profile serve for all, since only ratios matter."""
    seconds = timings.seconds(profiles.DEFAULT)
    urgent = schedule.urgency({stage.name: stage.before for stage in stages}, seconds)
    return [replace(stage, priority=round(urgent[stage.name])) for stage in stages]


def _stage(stage: PipelineStage, makers: dict[str, str], verdicts: list[Any]) -> Stage:
    deps = [dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency)]
    return Stage(
        name=stage.addressing,
        desc=stage.desc or stage.addressing,
        deps=deps,
        files=[out.def_path for out in stage.outs if out.annot.type != "directory"],
        folders=[out.def_path for out in stage.outs if out.annot.type == "directory"],
        before=sorted({makers[dep] for dep in deps if dep in makers}),
        changed=bool(set(_leaves(verdicts)) - MISSING),
        meta=stage.meta or {},
    )


def _leaves(verdicts: Any) -> Iterator[str]:
    """DVC nests its verdicts: {"changed deps": {"data/arrays": "modified"}}, "changed command"."""
    if isinstance(verdicts, str):
        yield verdicts
    else:
        children = verdicts.values() if isinstance(verdicts, dict) else verdicts
        for child in children:
            yield from _leaves(child)


def _write_fingerprints() -> None:
    """Run the stage `code` now: what it writes decides which of the other stages changed."""
    command = [sys.executable, "-m", "hw2.pipeline.job", "code", str(os.getpid())]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    # Its output goes to stderr, because Snakemake's own (a graph, a list) may be read by a program.
    if subprocess.run(command, env=env, stdout=sys.stderr, check=False).returncode:
        raise UserError("stage `code` failed, see above; `dvc repro code` runs it alone")


def _set_marks(stages: list[Stage]) -> None:
    MARKS.mkdir(parents=True, exist_ok=True)
    # New text, not only a new time: Snakemake compares the content of small files.
    Path(RUN_CHANGED).write_text(f"{time.time_ns()}\n")
    for stage in stages:
        Path(stage.done).touch()
        os.utime(stage.done, (OLDEST, OLDEST))


def _correct_future_dates(stages: list[Stage]) -> None:
    """Date files of the future, from a clock that was ahead, to now.

    After a job Snakemake compares dates once more, of `ancient()` files too, and deletes outputs
    that are older than an input.
    """
    paths = {Path(path) for stage in stages for path in stage.deps + stage.outs}
    for path in paths | {path / ".snakemake_timestamp" for path in paths}:
        with suppress(OSError):  # missing, or another user's
            if path.lstat().st_mtime > time.time():
                os.utime(path, follow_symlinks=False)


def _mark(name: str) -> str:
    return str(MARKS / f"{name}.done")

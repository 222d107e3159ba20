"""The jobs of a grid of experiments: what its runs share is computed once.

A stage that no parameter of the grid reaches has the same results in every run, and one that only
the seed reaches has the same results in every run with that seed. So the stages are grouped by the
axes that reach them, directly or through what they depend on. Each group is a job for each
combination of values on its axes, in a working copy of its own; it gets the results of other groups
from DVC's cache, which all copies share.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hw2.config import grids, paths
from hw2.config.grids import Axis, Grid, Point
from hw2.config.paths import Paths
from hw2.io import files
from hw2.pipeline import declared, stage_graph, working_copy
from hw2.pipeline.stage_graph import Graph
from hw2.runtime.errors import UserError

SOURCES = ("src", "workflow/scripts", "dvc.yaml", "paths.yaml", "params.yaml", "data/pretrained")
"""What decides, beside the values of a grid, whether a job is out of date."""

SNAPSHOT = "snapshot.json"


@dataclass(frozen=True)
class Job:
    """Stages of a grid that the same axes reach, at one combination of their values.

    Attributes:
        stages: Names of the stages, in the order of dvc.yaml.
        point: The values on the axes that reach the stages.
        settings: Values of other keys.
        folder: The working copy.
        after: Names of the jobs whose results it needs.
        details: The records of measurements that the stages write, as paths in a repository.
        resources: What the stages ask of Snakemake: the sum of `runtime`, the largest of others.
    """

    stages: tuple[str, ...]
    point: Point
    settings: Mapping[str, Any]
    folder: Path
    after: tuple[str, ...]
    details: tuple[Path, ...]
    resources: Mapping[str, int]

    @property
    def name(self) -> str:
        """Its name, unique in the grid."""
        return self.point.name

    @property
    def record(self) -> Path:
        """The file that exists when the job is done."""
        return self.folder.with_name(f"{self.folder.name}.json")

    @property
    def values(self) -> dict[str, Any]:
        """The value of each dotted key that differs from params.yaml."""
        return dict(self.settings) | self.point.values

    def key(self, sources: str) -> str:
        """A hash of all that the results depend on."""
        text = json.dumps([sources, self.stages, self.values], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def folder(grid: str) -> Path:
    """Where the working copies and records of a grid are."""
    return paths.load().checkpoints / "grids" / grid


def jobs(name: str, grid: Grid) -> list[Job]:
    """The jobs of a grid, what a job needs before it.

    Raises:
        UserError: if the grid names a stage that does not exist, or a key that reaches none of its
            stages.
    """
    entries = declared.entries()
    graph = stage_graph.of_entries(entries)
    needed = _needed(grid.stages, graph)
    groups = _groups(grid, {stage: graph[stage] for stage in needed}, entries)
    _check_reached(name, grid, groups)
    table, copies = paths.load(), folder(name)
    found = []
    for axes, stages in sorted(groups.items(), key=lambda group: len(group[0])):
        before = {other for stage in stages for other in graph[stage]}.difference(stages)
        above = [other for other, theirs in groups.items() if before.intersection(theirs)]
        details = tuple(_details([entries[stage] for stage in stages], table))
        resources = _resources([entries[stage] for stage in stages])
        for point in grids.combinations(axes):
            after = tuple(point.on(other).name for other in above)
            found.append(
                Job(
                    *(tuple(stages), point, grid.settings, copies / point.name),
                    *(after, details, resources),
                )
            )
    return found


def _needed(targets: Sequence[str], graph: Graph) -> list[str]:
    """The stages and all that they depend on, in the order of dvc.yaml."""
    needed: set[str] = set()
    waiting = list(targets)
    while waiting:
        stage = waiting.pop()
        declared.need_stage(stage, graph)
        needed.add(stage)
        waiting += graph[stage]
    return [stage for stage in graph if stage in needed]


def _groups(
    grid: Grid, graph: Graph, entries: Mapping[str, dict[str, Any]]
) -> dict[tuple[Axis, ...], list[str]]:
    """The stages of the graph by the axes that reach them."""
    keys = {stage: declared.of_entry(stage, entries[stage]).params for stage in graph}

    @cache
    def reaching(stage: str) -> frozenset[Axis]:
        direct = (a for a in grid.axes if any(_overlap(keys[stage], key) for key in a.keys))
        return frozenset(direct).union(*(reaching(before) for before in graph[stage]))

    groups: dict[tuple[Axis, ...], list[str]] = {}
    for stage in graph:
        axes = tuple(axis for axis in grid.axes if axis in reaching(stage))
        groups.setdefault(axes, []).append(stage)
    return groups


def _overlap(keys: Sequence[str], key: str) -> bool:
    """Whether a stage that declares `keys` reads `key`, or a part of it."""
    return declared.covers(keys, key) or any(declared.covers([key], other) for other in keys)


def _check_reached(name: str, grid: Grid, groups: Mapping[tuple[Axis, ...], list[str]]) -> None:
    for axis in grid.axes:
        if not any(axis in axes for axes in groups):
            raise UserError(
                f"{grids.FILE}: {name}: no stage of {', '.join(grid.stages)} reads"
                f" {', '.join(axis.keys)}; name another stage, or leave the key out"
            )


def _details(entries: Sequence[dict[str, Any]], table: Paths) -> Iterator[Path]:
    for entry in entries:
        for path in (getattr(table, name) for name in declared.outputs(entry)):
            if path.parent == table.headline_details.parent:
                yield path


def _resources(entries: Sequence[dict[str, Any]]) -> dict[str, int]:
    """What stages that run one after the other ask for."""
    asked = [(entry.get("meta") or {}).get("resources") or {} for entry in entries]
    return {
        resource: (sum if resource == "runtime" else max)(of.get(resource, 0) for of in asked)
        for resource in {resource: None for of in asked for resource in of}
    }


def complete(grid: Grid, of_grid: Sequence[Job]) -> list[tuple[Point, list[Path]]]:
    """Each run whose jobs are all done: its values, and the records that its stages wrote."""
    runs = []
    for point in grids.combinations(grid.axes):
        needed = [job for job in of_grid if set(job.point.choices) <= set(point.choices)]
        if all(job.record.exists() for job in needed):
            runs.append((point, [job.folder / path for job in needed for path in job.details]))
    return runs


def prepare(name: str, of_grid: Sequence[Job]) -> None:
    """Take the snapshot that the jobs of a grid run, and forget those that it puts out of date.

    Their working copies stay, with the resume files of interrupted trainings, and DVC skips each
    stage whose inputs are what they were.
    """
    commit = working_copy.snapshot()
    sources = working_copy.content(commit, SOURCES)
    target = folder(name)
    target.mkdir(parents=True, exist_ok=True)
    files.write_json(target / SNAPSHOT, {"commit": commit, "sources": sources})
    for job in of_grid:
        if job.record.exists() and files.read_json(job.record)["key"] != job.key(sources):
            job.record.unlink()


def prepared(name: str) -> tuple[str, str]:
    """The commit of the snapshot, and the hash of what jobs depend on in it."""
    record = files.read_json(folder(name) / SNAPSHOT)
    return record["commit"], record["sources"]

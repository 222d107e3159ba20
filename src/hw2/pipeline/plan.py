"""An estimate of how long the stages that are due will take.

`workflow/timings.json` holds the seconds that each stage once took, and the time of a fixed
computation on that machine; the same computation here gives the ratio of speeds.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx
from dvc.repo import Repo

from hw2.config import paths
from hw2.io import timings
from hw2.pipeline import (
    declared,
    dvc_errors,
    files_in_use,
    lock_repair,
    logged_seconds,
    schedule,
    stage_graph,
)
from hw2.runtime import device, fingerprint

_CODE = "code"  # the stage that fingerprints the source of all others
_DVC_SECONDS = 1.0  # of DVC itself, per stage


@dataclass(frozen=True)
class DueStage:
    """A stage that is due.

    Attributes:
        name: Its name.
        description: What it does.
        seconds: How long it will take; None if that was not measured.
        before: The stages whose outputs it reads.
    """

    name: str
    description: str
    seconds: float | None
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The stages that are due, in the order in which they can run.

    Attributes:
        profile: The profile, whose times are used.
        stages: The stages.
        at_once: How many of them run at the same time.
    """

    profile: str
    stages: tuple[DueStage, ...]
    at_once: int = 1

    @property
    def seconds(self) -> float | None:
        """The seconds of the whole run; None if a stage was not measured."""
        seconds = {s.name: s.seconds for s in self.stages if s.seconds is not None}
        if len(seconds) < len(self.stages):
            return None
        graph = {stage.name: stage.before for stage in self.stages}
        times = schedule.simulated(graph, seconds, self.at_once)
        return max((end for _, end in times.values()), default=0.0)


def estimated(stages: Mapping[str, str], profile: str, threads: int | None) -> Plan:
    """A plan of due stages with their estimated times.

    Args:
        stages: The descriptions of due stages, by name.
        profile: The profile, whose times are used.
        threads: Threads of the run; None estimates no times, which would import torch.
    """
    recorded = timings.read().get(profile)
    if not stages or recorded is None or threads is None:
        seconds: dict[str, float] = {}
    else:
        seconds = _here(recorded, threads)
    graph = stage_graph.read(declared.DVC_FILE)
    due_stages = (
        DueStage(name, text, seconds.get(name), tuple(graph.get(name, ())))
        for name, text in stages.items()
    )
    return Plan(profile, tuple(due_stages), schedule.at_once(threads or device.usable_cores()))


def _here(recorded: dict[str, Any], threads: int) -> dict[str, float]:
    """The recorded seconds of all stages, scaled to the speed of this machine."""
    began = time.monotonic()
    import torch  # noqa: F401  (every stage starts with this, so its time counts for each)

    start = time.monotonic() - began + _DVC_SECONDS
    ratio = probe(threads) / recorded["probe_seconds"]
    return {name: seconds * ratio + start for name, seconds in recorded["stages"].items()}


def due() -> dict[str, str]:
    """Stages that DVC would run: changed, with an output missing, or below such a stage.

    Returns:
        The description of each stage by name, what a stage depends on before it.

    Raises:
        UserError: if DVC cannot use the repository, or another run is using it.
    """
    with _repository() as repo:
        status = repo.status()
        graph = repo.index.graph  # its edges go from a stage to what it depends on
        names = {stage.addressing: stage for stage in graph}
        changed = {name for name in status if name in names}
        if _CODE in changed:  # it always runs then, but only edited code reaches the stages
            changed |= _with_edited_code(Path())
        roots = [names[name] for name in sorted(changed - {_CODE}) if name in names]
        due = set(roots).union(*(networkx.ancestors(graph, root) for root in roots))
        due |= {names[name] for name in changed & {_CODE}}
        order = reversed(list(networkx.topological_sort(graph)))
        return {stage.addressing: stage.desc or "" for stage in order if stage in due}


def _with_edited_code(root: Path) -> set[str]:
    """Stages whose code is not that of their recorded fingerprint."""
    folder = paths.load().code
    return {
        script.stem
        for script in fingerprint.scripts(root)
        if _text(folder / script.stem) != fingerprint.line(script, root)
    }


def _text(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


@contextmanager
def _repository() -> Iterator[Repo]:
    with dvc_errors.explained():
        files_in_use.guard()  # first, because the repair asks DVC
        lock_repair.repair()
        with Repo(_wait_for_lock=True) as repo:
            yield repo


def record(profile: str, threads: int) -> dict[str, float]:
    """Store the times of every stage, read from its log, for `profile`.

    A stage that the run skipped, because Git had its outputs already, keeps the seconds of the
    record before and has no start.

    Raises:
        UserError: if a stage has no log of a finished run, or DVC cannot use the repository.
    """
    with _repository() as repo:
        names = [stage.addressing for stage in repo.index.stages]
    logs = {name: Path("logs") / f"{name}.log" for name in names}
    earlier = timings.seconds(profile)
    skipped = earlier.keys() & {name for name, log in logs.items() if logged_seconds.is_empty(log)}
    ran = {name: log for name, log in logs.items() if name not in skipped}
    seconds = {
        name: logged_seconds.read(ran[name]) if name in ran else earlier[name] for name in names
    }
    starts = {name: logged_seconds.start(log) for name, log in ran.items()}
    first = min(starts.values())
    since_first = {name: round(start - first, 1) for name, start in starts.items()}
    timings.write(profile, probe(threads), seconds, since_first)
    return seconds


def probe(threads: int) -> float:
    """Seconds of a fixed computation like that of a training: the best of five."""
    import torch

    device.use_threads(threads)
    layer = torch.nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last)
    images = torch.ones(64, 64, 14, 14).to(memory_format=torch.channels_last)
    times = []
    for _ in range(6):  # the first warms up
        began = time.monotonic()
        for _ in range(5):
            layer(images).sum().backward()
        times.append(time.monotonic() - began)
    return min(times[1:])

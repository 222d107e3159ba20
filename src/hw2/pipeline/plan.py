"""An estimate of how long the stages that are due will take.

`workflow/timings.json` holds the seconds that each stage once took, and the time of a fixed
computation on that machine; the same computation here gives the ratio of speeds.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx
from dvc.repo import Repo

from hw2.io import timings
from hw2.pipeline import dvc_errors, files_in_use, lock_repair
from hw2.runtime.errors import UserError

_DVC_SECONDS = 1.0  # of DVC itself, per stage


@dataclass(frozen=True)
class DueStage:
    """A stage that is due, what it does, and the seconds it will take; None if not measured."""

    name: str
    description: str
    seconds: float | None


@dataclass(frozen=True)
class Plan:
    """The stages that are due, in the order in which they can run.

    Attributes:
        profile: The profile, whose times are used.
        stages: The stages.
    """

    profile: str
    stages: tuple[DueStage, ...]

    @property
    def seconds(self) -> float | None:
        """The seconds of all stages, one after the other; None if one was not measured."""
        seconds = [stage.seconds for stage in self.stages if stage.seconds is not None]
        return sum(seconds) if len(seconds) == len(self.stages) else None


def plan(profile: str, threads: int) -> Plan:
    """The stages that a run of the whole DAG would execute now, and their estimated times."""
    stages = _due()
    recorded = timings.read().get(profile)
    if not stages or recorded is None:
        seconds: dict[str, float] = {}
    else:
        seconds = _here(recorded, threads)
    return Plan(
        profile,
        tuple(DueStage(name, text, seconds.get(name)) for name, text in stages.items()),
    )


def _here(recorded: dict[str, Any], threads: int) -> dict[str, float]:
    """The recorded seconds of all stages, scaled to the speed of this machine."""
    began = time.monotonic()
    import torch  # noqa: F401  (every stage starts with this, so its time counts for each)

    start = time.monotonic() - began + _DVC_SECONDS
    ratio = probe(threads) / recorded["probe_seconds"]
    return {name: seconds * ratio + start for name, seconds in recorded["stages"].items()}


def due() -> list[str]:
    """Stages that DVC would run: changed, with an output missing, or below such a stage.

    Raises:
        UserError: if DVC cannot use the repository, or another run is using it.
    """
    return list(_due())


def _due() -> dict[str, str]:
    """What `due` lists with the description of each stage, what a stage depends on before it."""
    with _repository() as repo:
        status = repo.status()
        graph = repo.index.graph  # its edges go from a stage to what it depends on
        names = {stage.addressing: stage for stage in graph}
        roots = [names[name] for name in status if name in names]
        below = set(roots).union(*(networkx.ancestors(graph, root) for root in roots))
        order = reversed(list(networkx.topological_sort(graph)))
        return {stage.addressing: stage.desc or "" for stage in order if stage in below}


@contextmanager
def _repository() -> Iterator[Repo]:
    with dvc_errors.explained():
        files_in_use.guard()  # first, because the repair asks DVC
        lock_repair.repair()
        with Repo(_wait_for_lock=True) as repo:
            yield repo


def record(profile: str, threads: int) -> dict[str, float]:
    """Store the times of the last run of every stage, read from its log, for `profile`.

    Raises:
        UserError: if a stage has no log of a finished run, or DVC cannot use the repository.
    """
    with _repository() as repo:
        names = [stage.addressing for stage in repo.index.stages]
    seconds = {name: _logged_seconds(Path("logs") / f"{name}.log") for name in names}
    timings.write(profile, probe(threads), seconds)
    return seconds


def probe(threads: int) -> float:
    """Seconds of a fixed computation like that of a training: the best of five."""
    import torch

    from hw2.runtime import device

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


def _logged_seconds(log: Path) -> float:
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    seconds = re.findall(r"done after ([\d.]+) s", text)
    if not seconds:
        raise UserError(f"{log}: holds no finished run; run the whole DAG first")
    return float(seconds[-1])

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

from hw2.io import files
from hw2.pipeline import dvc_errors, dvc_lock, files_in_use
from hw2.runtime.errors import UserError

TIMINGS = Path("workflow/timings.json")
_DVC_SECONDS = 1.0  # of DVC itself, per stage


@dataclass(frozen=True)
class Plan:
    """The stages that are due, and the seconds they will take; None where nothing was measured."""

    stages: list[str]
    seconds: float | None


def plan(profile: str, threads: int) -> Plan:
    """The stages that a run of the whole DAG would execute now, and their estimated time."""
    stages = due()
    timings = _timings().get(profile)
    if not stages or timings is None or not set(stages) <= set(timings["stages"]):
        return Plan(stages, 0.0 if not stages else None)
    began = time.monotonic()
    import torch  # noqa: F401  (every stage starts with this, so its time counts for each)

    start = time.monotonic() - began + _DVC_SECONDS
    ratio = probe(threads) / timings["probe_seconds"]
    return Plan(stages, sum(timings["stages"][stage] * ratio + start for stage in stages))


def due() -> list[str]:
    """Stages that DVC would run: changed, with an output missing, or below such a stage.

    Raises:
        UserError: if DVC cannot use the repository, or another run is using it.
    """
    with _repository() as repo:
        status = repo.status()
        graph = repo.index.graph  # its edges go from a stage to what it depends on
        names = {stage.addressing: stage for stage in graph}
        roots = [names[name] for name in status if name in names]
        below = set(roots).union(*(networkx.ancestors(graph, root) for root in roots))
        return [name for name, stage in names.items() if stage in below]


@contextmanager
def _repository() -> Iterator[Repo]:
    with dvc_errors.explained():
        files_in_use.guard()  # first, because the repair asks DVC
        dvc_lock.repair()
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
    timings = {**_timings(), profile: {"probe_seconds": probe(threads), "stages": seconds}}
    files.write_json(TIMINGS, timings)
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


def _timings() -> dict[str, dict[str, Any]]:
    if not TIMINGS.exists():
        return {}
    timings: dict[str, dict[str, Any]] = files.read_json(TIMINGS)
    return timings


def _logged_seconds(log: Path) -> float:
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    seconds = re.findall(r"done after ([\d.]+) s", text)
    if not seconds:
        raise UserError(f"{log}: holds no finished run; run the whole DAG first")
    return float(seconds[-1])

"""How long the stages that are due will take, before they run.

The seconds that each stage took once are in `workflow/timings.json`, beside the time of a fixed
piece of work on that machine; the same piece of work here gives the ratio.
"""

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx

from hw2.io import files
from hw2.runtime.errors import UserError

TIMINGS = Path("workflow/timings.json")
_DVC_SECONDS = 1.0  # of DVC itself, per stage


@dataclass(frozen=True)
class Plan:
    """The stages that are due, and the seconds they will take; None where nothing was measured."""

    stages: list[str]
    seconds: float | None


def plan(profile: str, threads: int) -> Plan:
    """What a run of everything would do now."""
    stages = due()
    known = _timings().get(profile)
    if not stages or known is None or not set(stages) <= set(known["stages"]):
        return Plan(stages, 0.0 if not stages else None)
    began = time.monotonic()
    import torch  # noqa: F401  (every stage starts with this, so its time counts for each)

    start = time.monotonic() - began + _DVC_SECONDS
    ratio = probe(threads) / known["probe_seconds"]
    return Plan(stages, sum(known["stages"][stage] * ratio + start for stage in stages))


def due() -> list[str]:
    """Stages that DVC would run: changed, with an output missing, or below such a stage."""
    from dvc.repo import Repo

    with Repo(_wait_for_lock=True) as repo:
        status = repo.status()
        graph = repo.index.graph  # its edges go from a stage to what it depends on
        names = {stage.addressing: stage for stage in graph}
        roots = [names[name] for name in status if name in names]
        below = set(roots).union(*(networkx.ancestors(graph, root) for root in roots))
        return [name for name, stage in names.items() if stage in below]


def record(profile: str, threads: int) -> dict[str, float]:
    """Store the times of the last run of every stage, read from its log, as those of `profile`.

    Raises:
        UserError: if a stage has no log of a finished run.
    """
    from dvc.repo import Repo

    with Repo() as repo:
        names = [stage.addressing for stage in repo.index.stages]
    seconds = {name: _logged_seconds(Path("logs") / f"{name}.log") for name in names}
    timings = {**_timings(), profile: {"probe_seconds": probe(threads), "stages": seconds}}
    files.write_json(TIMINGS, timings)
    return seconds


def probe(threads: int) -> float:
    """Seconds of a fixed piece of work like a training's: the best of five."""
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
    try:
        return json.loads(TIMINGS.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def _logged_seconds(log: Path) -> float:
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    found = re.findall(r"done after ([\d.]+) s", text)
    if not found:
        raise UserError(f"{log}: no finished run in it; run the whole DAG first")
    return float(found[-1])

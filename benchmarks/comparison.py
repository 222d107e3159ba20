"""A row of the suite: contenders that do the same work, timed in alternating rounds."""

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

OURS = "ours"
ROOT = Path(__file__).resolve().parents[1]
TICK = 1e-6  # seconds; the processor's clock is not finer
Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes:
        quick: Small sizes and a single round, to test the suite.
        threads: Threads that PyTorch uses, the same for every contender.
        rounds: Rounds of a row at most.
        seconds: No round of a row begins after this time, except the first two.
        course: The course's `hw2_data`, whose digits are read instead of synthetic ones.
    """

    quick: bool
    threads: int
    rounds: int
    seconds: float
    course: Path | None = None

    def size(self, full: Choice, quick: Choice) -> Choice:
        """The size of a workload."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Times:
    """Seconds of the processor, those of ended child processes included, and of the wall clock."""

    processor: float
    wall: float


@dataclass(frozen=True)
class Contender:
    """One way to do the work.

    Attributes:
        run: Does the work once.
        work: Units of work that a run does.
        prepare: Called once before the first round, to warm up; `run` if not given.
    """

    run: Callable[[], object]
    work: float
    prepare: Callable[[], object] | None = None


@dataclass(frozen=True)
class Ceiling:
    """What the machine can do at best of one kind of work, measured in the same rounds.

    Attributes:
        run: Does some work of this kind and returns its amount.
        needed: Amount that our way needs for a unit of its work.
    """

    run: Callable[[], float]
    needed: float


@dataclass(frozen=True)
class Comparison:
    """A row.

    Attributes:
        title: What is done.
        unit: What the times are for, such as an image.
        contenders: By name; the first is ours.
        missing: Peers that cannot run here, and why.
        ceilings: By name; the time of our way at these ceilings is the sum over all.
        equal: What is the same for all contenders, what differs, and what is scaled down.
        reasons: Why a peer is faster, by its name, for peers that may be.
        details: Further numbers by name, in words; runs may fill them in.
    """

    title: str
    unit: str
    contenders: Mapping[str, Contender]
    equal: str
    missing: Mapping[str, str] = field(default_factory=dict)
    ceilings: Mapping[str, Ceiling] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)


def measured(row: Comparison, settings: Settings) -> dict[str, Any]:
    """Time the contenders and ceilings of a row; the record of the row."""
    started = time.monotonic()
    for contender in row.contenders.values():
        (contender.prepare or contender.run)()
    rounds: list[dict[str, Times]] = []
    shares: list[float] = []
    least = 1 if settings.quick else 2
    while len(rounds) < settings.rounds:
        if len(rounds) >= least and time.monotonic() - started > settings.seconds:
            break
        names = list(row.contenders)
        order = names if len(rounds) % 2 == 0 else names[::-1]
        times = {name: timed(row.contenders[name].run, row.contenders[name].work) for name in order}
        if row.ceilings:
            shares.append(_ideal(row.ceilings) / times[OURS].processor)
        rounds.append(times)
    peers = [name for name in row.contenders if name != OURS]
    return {
        "title": row.title,
        "unit": row.unit,
        "rounds": len(rounds),
        "threads": settings.threads,
        "seconds": _of_rounds(rounds, list(row.contenders), lambda r, name: r[name].processor),
        "wall_seconds": _of_rounds(rounds, list(row.contenders), lambda r, name: r[name].wall),
        "ratio": _of_rounds(rounds, peers, lambda r, name: r[name].processor / r[OURS].processor),
        "wall_ratio": _of_rounds(rounds, peers, lambda r, name: r[name].wall / r[OURS].wall),
        "ceiling": ", ".join(row.ceilings),
        "share_of_ceiling": summary(shares) if shares else None,
        "missing": dict(row.missing),
        "equal": row.equal,
        "reasons": dict(row.reasons),
        "details": dict(row.details),
        "took": time.monotonic() - started,
    }


def summary(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest value."""
    return {"median": median(values), "low": min(values), "high": max(values)}


def missing(package: str, module: str) -> dict[str, str]:
    """An entry of `Comparison.missing` if a module of the package cannot be found, else nothing."""
    if find_spec(module) is not None:
        return {}
    return {package: "not installed; `pip install -e '.[benchmarks]'` installs the peers"}


def timed(run: Callable[[], object], work: float = 1.0) -> Times:
    """The times of a call, for a unit of the work that it does."""
    before, start = _processor(), time.perf_counter()
    run()
    wall, processor = time.perf_counter() - start, _processor() - before
    return Times(max(processor, TICK) / work, wall / work)


def _processor() -> float:
    """Processor seconds so far of this process and of its child processes that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _of_rounds(
    rounds: list[dict[str, Times]],
    names: list[str],
    value: Callable[[dict[str, Times], str], float],
) -> dict[str, dict[str, float]]:
    return {name: summary([value(times, name) for times in rounds]) for name in names}


def _ideal(ceilings: Mapping[str, Ceiling]) -> float:
    """Processor seconds for a unit of our work at the ceilings."""
    total = 0.0
    for ceiling in ceilings.values():
        before = _processor()
        amount = ceiling.run()
        total += ceiling.needed * max(_processor() - before, TICK) / amount
    return total

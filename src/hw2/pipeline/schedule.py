"""Which stages run at the same time, and in which order.

On a CPU two stages with half of the cores each leave fewer of them idle than one after the other
with all: much of a stage (imports, optimizers, files) runs on a single core. Stages on a GPU take
turns. Of the stages that can run, that with the longest chain of stages before the end starts first
(list scheduling by the critical path; Graham, 1969).
"""

from collections.abc import Collection, Mapping
from functools import cache

from hw2.runtime import device

Graph = Mapping[str, Collection[str]]
"""The name of each stage, and the names of those whose outputs it reads."""
_UNKNOWN_SECONDS = 1.0  # of a stage without a recorded time


def at_once(cores: int) -> int:
    """How many stages that can use all cores run at the same time."""
    return 1 if device.has_gpu() else min(2, cores)


def urgency(graph: Graph, seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds from the start of each stage to the end of the longest chain that it begins."""
    readers: dict[str, list[str]] = {name: [] for name in graph}
    for name, before in graph.items():
        for maker in before:
            if maker in readers:
                readers[maker].append(name)

    @cache
    def chain(name: str) -> float:
        own = seconds.get(name, _UNKNOWN_SECONDS)
        return own + max((chain(reader) for reader in readers[name]), default=0.0)

    return {name: chain(name) for name in graph}


def simulated(
    graph: Graph, seconds: Mapping[str, float], at_once: int
) -> dict[str, tuple[float, float]]:
    """Start and end of each stage in seconds, with `at_once` stages at the same time.

    What is read of stages outside `graph` is there already.
    """
    urgent = urgency(graph, seconds)
    waiting = sorted(graph, key=lambda name: -urgent[name])
    times: dict[str, tuple[float, float]] = {}
    now = 0.0
    while waiting:
        running = [end for _, end in times.values() if end > now]
        ready = [
            name
            for name in waiting
            if all(maker not in graph or times.get(maker, (0, now + 1))[1] <= now
                   for maker in graph[name])
        ]  # fmt: skip
        for name in ready[: at_once - len(running)]:
            times[name] = (now, now + seconds.get(name, _UNKNOWN_SECONDS))
            running.append(times[name][1])
            waiting.remove(name)
        # The default is for tasks of no length, which are over at once.
        now = min((end for end in running if end > now), default=now)
    return times

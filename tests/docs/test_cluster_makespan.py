"""The simulation in docs/cluster.md: list scheduling, its bounds, and what the page shows."""

import runpy
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(REPO / "docs/cluster_makespan.py"))
makespan, critical_path = SCRIPT["makespan"], SCRIPT["critical_path"]

# a -> c -> d and b -> d, and e by itself.
BEFORE = {"a": [], "b": [], "c": ["a"], "d": ["b", "c"], "e": []}
SECONDS = {"a": 1.0, "b": 4.0, "c": 2.0, "d": 3.0, "e": 5.0}


@pytest.mark.parametrize(
    ("workers", "seconds"),
    [
        (1, 15.0),  # the sum
        (2, 8.0),  # b and a, then c before e, whose path is not longer, and d when b is done
        (3, 7.0),
        (64, 7.0),  # the critical path, b and d
    ],
)
def test_a_free_worker_takes_the_task_with_the_longest_path(workers: int, seconds: float) -> None:
    assert makespan(BEFORE, SECONDS, workers) == seconds


def test_the_critical_path_is_the_longest_one() -> None:
    assert critical_path(BEFORE, SECONDS) == ["b", "d"]


def test_no_schedule_is_shorter_than_its_bounds_or_much_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(REPO)
    graph, seconds = SCRIPT["pipeline"]()
    total = sum(seconds[stage] for stage in graph)
    longest = sum(seconds[stage] for stage in critical_path(graph, seconds))
    for workers in SCRIPT["WORKERS"]:
        bound = max(longest, total / workers)
        span = makespan(graph, seconds, workers)
        assert bound - 1e-9 <= span <= (2 - 1 / workers) * bound + 1e-9


def test_the_page_shows_the_recorded_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    page = (REPO / "docs/cluster.md").read_text(encoding="utf-8")
    assert SCRIPT["with_text"](page, SCRIPT["text"]()) == page
    assert (REPO / "docs/cluster-makespan.svg").is_file()

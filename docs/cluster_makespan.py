"""Simulate how long the pipeline and a grid take with 1 to 64 workers, for docs/cluster.md.

Run `python docs/cluster_makespan.py` in the repository's root. It schedules the stages of dvc.yaml,
with the seconds of the recorded run of the profile `demo` (workflow/timings.json), and writes
docs/cluster-makespan.svg and the table between the markers in docs/cluster.md. `--check` only
reports whether the table is up to date.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from hw2.cli.plan_table import duration
from hw2.config import grids
from hw2.io import timings
from hw2.pipeline import declared, grid_jobs, schedule, stage_graph
from hw2.pipeline.schedule import Graph

PAGE, FIGURE = Path("docs/cluster.md"), Path("docs/cluster-makespan.svg")
BEGIN, END = "<!-- makespan: begin -->", "<!-- makespan: end -->"
PROFILE, GRID = "demo", "guidance"
WORKERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
SHOWN = (1, 2, 4, 8, 16, 64)
COLORS = {"pipeline": "#0072b2", "grid": "#d55e00"}


def critical_path(before: Graph, seconds: Mapping[str, float]) -> list[str]:
    """The tasks of a longest path, which no number of workers shortens."""
    tail = schedule.urgency(before, seconds)
    path = [max(tail, key=lambda task: tail[task])]
    while later := [task for task in before if path[-1] in before[task]]:
        path.append(max(later, key=lambda task: tail[task]))
    return path


def makespan(before: Graph, seconds: Mapping[str, float], workers: int) -> float:
    """The seconds that equal workers take, each for one task at a time.

    No schedule is shorter than the larger of the critical path and the work divided by the workers,
    and this one is at most 2 - 1/workers times as long as the best (Graham, 1969).
    """
    return max(end for _, end in schedule.simulated(before, seconds, workers).values())


def pipeline() -> tuple[dict[str, Sequence[str]], dict[str, float]]:
    """The stages and their measured seconds."""
    return dict(stage_graph.read(declared.DVC_FILE)), timings.seconds(PROFILE)


def grid(seconds: Mapping[str, float]) -> tuple[dict[str, Sequence[str]], dict[str, float]]:
    """The jobs of the grid, each as long as its stages one after the other."""
    jobs = grid_jobs.jobs(GRID, grids.get(GRID))
    return (
        {job.name: job.after for job in jobs},
        {job.name: sum(seconds[stage] for stage in job.stages) for job in jobs},
    )


def text() -> str:
    """The table and what bounds the makespan, in Markdown."""
    graph, seconds = pipeline()
    runs, of_runs = grid(seconds)
    lines = [
        "| workers | the pipeline | the grid |",
        "|---|---|---|",
        *(
            f"| {workers} | {_cell(graph, seconds, workers)} | {_cell(runs, of_runs, workers)} |"
            for workers in SHOWN
        ),
        "",
        _bound("pipeline", graph, seconds),
        "",
        _bound(f"grid `{GRID}`", runs, of_runs),
    ]
    return "\n".join(lines)


def _cell(before: Graph, seconds: Mapping[str, float], workers: int) -> str:
    time = makespan(before, seconds, workers)
    return f"{duration(time)}, {makespan(before, seconds, 1) / time:.1f} times as fast"


def _bound(name: str, before: Graph, seconds: Mapping[str, float]) -> str:
    path = critical_path(before, seconds)
    bound = sum(seconds[task] for task in path)
    total = makespan(before, seconds, 1)
    enough = next(w for w in range(1, len(before) + 1) if makespan(before, seconds, w) <= bound)
    parts = ", ".join(f"`{task}` {duration(seconds[task])}" for task in path if seconds[task] >= 1)
    return (
        f"The {name} cannot be faster than {total / bound:.1f} times: its critical path takes"
        f" {duration(bound)} of {duration(total)} ({parts}). {enough} workers reach it."
    )


def draw(target: Path) -> None:
    """Draw the makespan by the number of workers, with both lower bounds."""
    graph, seconds = pipeline()
    fig = Figure(figsize=(8, 3.6), layout="constrained")
    axes = fig.subplots(1, 2)
    for ax, title, (before, times), color in zip(
        axes,
        ("Pipeline, profile demo", f"Grid {GRID}"),
        ((graph, seconds), grid(seconds)),
        COLORS.values(),
        strict=True,
    ):
        total = makespan(before, times, 1)
        bound = sum(times[task] for task in critical_path(before, times))
        spans = [makespan(before, times, workers) / 60 for workers in WORKERS]
        ax.plot(WORKERS, spans, "o-", color=color, label="list scheduling")
        ax.plot(WORKERS, [total / w / 60 for w in WORKERS], ":", color="#57606a",
                label="work / workers")  # fmt: skip
        ax.axhline(bound / 60, ls="--", color="#57606a", label="critical path")
        ax.set_xscale("log", base=2)
        ax.set_xticks(SHOWN, [str(workers) for workers in SHOWN])
        ax.set_ylim(0, None)
        ax.set(title=title, xlabel="workers", ylabel="minutes")
        ax.legend(frameon=False)
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hw2"}):
        fig.savefig(target, format="svg", metadata={"Date": None, "Creator": None})


def with_text(page: str, generated: str) -> str:
    """The page with `generated` between its markers."""
    return re.sub(
        f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{generated}\n{END}", page, flags=re.DOTALL
    )


def main() -> None:
    """Write, or check, the generated parts of docs/cluster.md."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="fail if the table is out of date")
    options = parser.parse_args()
    old = PAGE.read_text(encoding="utf-8")
    new = with_text(old, text())
    if options.check:
        sys.exit(f"{PAGE}: out of date; run docs/cluster_makespan.py" if old != new else 0)
    PAGE.write_text(new, encoding="utf-8")
    draw(FIGURE)


if __name__ == "__main__":
    main()

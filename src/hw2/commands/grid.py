"""The table of a grid of experiments, and its runs as experiments of DVC."""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from hw2.commands import revisions
from hw2.config import grids
from hw2.config.grids import SEED, Grid, Point
from hw2.evaluation import headline
from hw2.evaluation.headline import Number
from hw2.evaluation.several_trainings import half_width
from hw2.io import files
from hw2.io.atomic import atomic_path
from hw2.runtime.errors import UserError


@dataclass(frozen=True)
class Cell:
    """A number at one combination of parameters, over its seeds.

    Attributes:
        number: Name of the headline number.
        value: Its mean over the seeds.
        low, high: Ends of the 95 % interval of Student's t over the seeds; None for one seed.
        seeds: The number of seeds.
    """

    number: str
    value: float
    low: float | None
    high: float | None
    seeds: int


Run = tuple[Point, Sequence[Number]]
"""A run and its headline numbers."""


def from_records(runs: Iterable[tuple[Point, Sequence[Path]]]) -> list[Run]:
    """Runs with the headline numbers in the records that their stages wrote."""
    return [
        (point, headline.collect({path.stem: files.read_json(path) for path in records}))
        for point, records in runs
    ]


def from_experiments(name: str, grid: Grid, records: Iterable[Path]) -> list[Run]:
    """The runs of a grid that exist as experiments of DVC.

    Args:
        name: Name of the grid.
        grid: The grid.
        records: The records of measurements, as paths in the repository.
    """
    found: list[Run] = []
    names = sorted(records)
    for point in grids.combinations(grid.axes):
        try:
            contents = {path.stem: revisions.read(experiment(name, point), path) for path in names}
        except UserError:  # not run yet
            continue
        details = {stem: files.parse_json(content) for stem, content in contents.items() if content}
        found.append((point, headline.collect(details)))
    return found


def experiment(name: str, point: Point) -> str:
    """The name of the experiment of DVC for a run."""
    return f"{name}_{point.name}"


def queue(name: str, grid: Grid) -> int:
    """Queue all runs of a grid as experiments of DVC; returns their number.

    Raises:
        UserError: if DVC refuses one.
    """
    points = list(grids.combinations(grid.axes))
    for point in points:
        values = dict(grid.settings) | point.values
        changes = [f"--set-param={key}={grids.as_text(value)}" for key, value in values.items()]
        command = [
            *(sys.executable, "-m", "dvc", "exp", "run", "--queue", "--quiet"),
            *("--name", experiment(name, point), *changes, *grid.stages),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = " ".join(done.stderr.split())
            raise UserError(f"{experiment(name, point)}: DVC did not queue it: {reason}")
    return len(points)


def table(name: str, grid: Grid, runs: Sequence[Run]) -> dict[Point, list[Cell]]:
    """The numbers of a grid over the seeds, by the combination of parameters.

    Raises:
        UserError: if no run is complete, or none has a number of the grid's `numbers`.
    """
    if not runs:
        raise UserError(f"{grids.FILE}: {name}: no run is complete; run the grid first")
    axes = [axis for axis in grid.axes if axis.name != SEED]
    values: dict[Point, dict[str, list[float]]] = {}
    for point, numbers in runs:
        for number in numbers:
            if any(fnmatchcase(number.name, pattern) for pattern in grid.numbers):
                by_name = values.setdefault(point.on(axes), {})
                by_name.setdefault(number.name, []).append(number.value)
    if not values:
        known = sorted({number.name for _, numbers in runs for number in numbers})
        raise UserError(
            f"{grids.FILE}: {name}: the runs have none of {', '.join(grid.numbers)};"
            f" they have {', '.join(known) or 'no headline numbers'}"
        )
    return {
        point: [_cell(number, np.array(of_seeds)) for number, of_seeds in by_name.items()]
        for point, by_name in values.items()
    }


def _cell(number: str, values: np.ndarray) -> Cell:
    mean, count = float(values.mean()), len(values)
    if count == 1:
        return Cell(number, mean, None, None, count)
    half = half_width(values)
    return Cell(number, mean, mean - half, mean + half, count)


def write(folder: Path, name: str, grid: Grid, cells: dict[Point, list[Cell]]) -> list[Path]:
    """Write the table as `folder`/`name`.csv, a row for each number, and as Markdown."""
    rows: list[dict[str, Any]] = [
        {axis: grids.as_text(value) for axis, value in point.by_axis.items()} | vars(cell)
        for point, of_point in cells.items()
        for cell in of_point
    ]
    targets = [folder / f"{name}.csv", folder / f"{name}.md"]
    folder.mkdir(parents=True, exist_ok=True)
    files.write_table(targets[0], rows)
    with atomic_path(targets[1]) as temporary:
        temporary.write_text(markdown(grid, cells), encoding="utf-8")
    return targets


def markdown(grid: Grid, cells: dict[Point, list[Cell]]) -> str:
    """The table with a row for each combination of parameters and a column for each number."""
    numbers = list(dict.fromkeys(cell.number for of_point in cells.values() for cell in of_point))
    axes = [axis.name for axis in grid.axes if axis.name != SEED]
    lines = [[*axes, *numbers], ["---"] * (len(axes) + len(numbers))]
    for point, of_point in cells.items():
        by_number = {cell.number: _shown(cell) for cell in of_point}
        choices = [grids.as_text(value) for value in point.by_axis.values()]
        lines.append([*choices, *(by_number.get(number, "") for number in numbers)])
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    note = "Means over n seeds, with 95 % intervals of Student's t over the seeds."
    return f"## {grid.description}\n\n{body}\n\n{note}\n"


def _shown(cell: Cell) -> str:
    if cell.low is None or cell.high is None:
        return f"{cell.value:.4g} (n = {cell.seeds})"
    return f"{cell.value:.4g} ({cell.low:.4g} to {cell.high:.4g}, n = {cell.seeds})"

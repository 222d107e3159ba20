"""The table of a grid of experiments, and its runs as experiments of DVC."""

import math
import subprocess
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import t

from hw2.commands import grid as command
from hw2.config import grids
from hw2.config.grids import Grid
from hw2.evaluation.headline import Number
from hw2.io import files
from hw2.runtime.errors import UserError

GRID = Grid.model_validate(
    {
        "description": "A grid",
        "stages": ["ddpm_evaluate"],
        "numbers": ["ddpm.*.accuracy"],
        "seeds": {"keys": ["ddpm.seed"], "values": [1, 2, 3]},
        "parameters": {"ddpm.guidance.scale": [1.0, 2.0]},
        "settings": {"ddpm.domains": ["svhn"]},
    }
)
VALUES = {1.0: [0.5, 0.6, 0.7], 2.0: [0.8, 0.9]}  # one seed is not done yet


def number(name: str, value: float) -> Number:
    return Number(name, value, None, None, None, 1)


def runs() -> list[command.Run]:
    points = {tuple(p.by_axis.values()): p for p in grids.combinations(GRID.axes)}
    return [
        (
            points[scale, seed],
            [number("ddpm.svhn.accuracy", value), number("judge.svhn.accuracy", 0)],
        )
        for scale, values in VALUES.items()
        for seed, value in enumerate(values, start=1)
    ]


def test_cells_are_means_with_students_interval_over_the_seeds() -> None:
    cells = command.table("g", GRID, runs())
    first, second = (cell for (cell,) in cells.values())
    assert (first.number, first.seeds, second.seeds) == ("ddpm.svhn.accuracy", 3, 2)
    assert first.value == pytest.approx(0.6)
    half = float(t.ppf(0.975, 2)) * 0.1 / math.sqrt(3)
    assert (first.low, first.high) == pytest.approx((0.6 - half, 0.6 + half))


def test_one_seed_has_no_interval() -> None:
    ((cell,),) = command.table("g", GRID, runs()[:1]).values()
    assert (cell.value, cell.low, cell.high, cell.seeds) == (0.5, None, None, 1)


def test_both_files_hold_every_cell(tmp_path: Path) -> None:
    cells = command.table("g", GRID, runs())
    csv, markdown = command.write(tmp_path / "grids", "g", GRID, cells)
    rows = files.read_table(csv)
    assert [(row["scale"], row["number"], row["seeds"]) for row in rows] == [
        (1.0, "ddpm.svhn.accuracy", 3), (2.0, "ddpm.svhn.accuracy", 2)
    ]  # fmt: skip
    assert markdown.read_text().splitlines()[:6] == [
        "## A grid",
        "",
        "| scale | ddpm.svhn.accuracy |",
        "| --- | --- |",
        "| 1.0 | 0.6 (0.3516 to 0.8484, n = 3) |",
        "| 2.0 | 0.85 (0.2147 to 1.485, n = 2) |",
    ]


@pytest.mark.parametrize(
    ("done", "message"),
    [
        ([], "no run is complete"),
        ([(runs()[0][0], [number("a.b", 1.0)])], r"have none of ddpm.*; they have a\.b"),
    ],
)
def test_a_table_without_a_number_is_refused(done: list[command.Run], message: str) -> None:
    with pytest.raises(UserError, match=message):
        command.table("g", GRID, done)


def test_numbers_come_from_the_records_of_a_run(tmp_path: Path) -> None:
    record = tmp_path / "ddpm.json"
    files.write_json(record, {"svhn": {"accuracy": 0.25}})
    point = next(grids.combinations(GRID.axes))
    ((_, (found, *_)),) = command.from_records([(point, [record])])
    assert (found.name, found.value) == ("ddpm.svhn.accuracy", 0.25)


def test_each_run_is_queued_with_its_name_and_values(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command[3:])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert command.queue("g", GRID) == len(commands) == 6
    assert commands[0] == [
        *("exp", "run", "--queue", "--quiet", "--name", "g_scale-1.0_seed-1"),
        '--set-param=ddpm.domains=["svhn"]',
        *("--set-param=ddpm.guidance.scale=1.0", "--set-param=ddpm.seed=1", "ddpm_evaluate"),
    ]

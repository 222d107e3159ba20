"""A grid of experiments: shared stages run once, and a killed job loses only its own work.

HW2_TEST_DEEP=1 adds the grid `guidance`, 3 seeds by 4 scales, in minutes.
"""

import os
import re
import signal
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from scratch import DEEP, Scratch, processes
from servers import wait_until

from hw2.config import grids
from hw2.io import files

pytestmark = pytest.mark.slow

GRID = {
    "description": "The judge by its number of steps",
    "stages": ["judge_train"],
    "numbers": ["judge.*.accuracy"],
    "seeds": {"keys": ["judge.seed"], "values": [1, 2]},
    "parameters": {"judge.steps": [5]},
}
LIMIT = 1200  # seconds; only to end a hang


@pytest.mark.parametrize(
    ("name", "victim", "stage"),
    [
        ("judge", "steps-5_seed-1", "judge_train"),
        pytest.param("guidance", "scale-3.0_seed-2", "ddpm_sample", marks=DEEP),
    ],
)
def test_a_killed_job_loses_only_itself_and_a_rerun_completes_the_table(
    copy: Scratch, name: str, victim: str, stage: str
) -> None:
    """`victim` is a run of the grid, which is killed in `stage`."""
    with (copy.root / grids.FILE).open("a") as file:
        YAML().dump({"judge": GRID}, file)
    grid = grids.get(name, copy.root / grids.FILE)
    runs = {point.name for point in grids.combinations(grid.axes)}
    command = [
        *("snakemake", "--snakefile", "workflow/grid.smk", "--config", f"grid={name}"),
        *("--cores", "2", "--resources", "gpu=2", "--keep-going"),
    ]
    copies = copy.root / "checkpoints/grids" / name
    driver = copy.start(*command)
    wait_until(
        lambda: bool(_running(stage, copies / victim)),
        lambda: copy.text("started.txt"),
        seconds=LIMIT,
    )
    for pid in _running(stage, copies / victim):
        os.kill(pid, signal.SIGKILL)
    assert driver.wait(LIMIT) != 0
    assert runs & {path.stem for path in copies.glob("*.json")} == runs - {victim}
    partly = copy.run("hw2", "grid", name, "--table").text
    assert f"{len(runs) - 1} of {len(runs)} runs" in partly

    again = copy.run(*command)
    assert again.code == 0, again.text
    finished = re.findall(r"Finished jobid: \d+ \(Rule: (.+)\)", again.text)
    assert set(finished) == {victim, "table", "all"}
    seeds = len(grid.seeds.values)
    rows = files.read_table(copy.root / f"results/grids/{name}.csv")
    settings = {tuple(row[axis.name] for axis in grid.axes[:-1]) for row in rows}
    assert len(settings) == len(runs) / seeds
    assert {row["seeds"] for row in rows} == {seeds}
    assert "Nothing to be done" in copy.run(*command).text

    # A training of a seed ran once at most, and what no axis reaches came from the cache.
    logs = "".join(path.read_text() for path in (copy.root / "logs/grids" / name).glob("*.log"))
    assert f"Running stage '{stage}'" in logs
    assert logs.count("Running stage 'ddpm_train'") <= seeds
    assert "Running stage 'digits_pack'" not in logs
    assert not processes(copy.root)


def _running(stage: str, folder: Path) -> list[int]:
    """The processes that run the script of the stage in a working copy."""
    return [pid for pid, command in processes(folder).items() if f"{stage}.py" in command]

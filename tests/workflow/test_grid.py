"""A grid of experiments: shared stages run once, and a killed job loses only its own work."""

import os
import re
import signal
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from scratch import Scratch, processes
from servers import wait_until

from hw2.io import files

pytestmark = pytest.mark.slow

GRID = {
    "description": "The judge by its number of steps",
    "stages": ["judge_train"],
    "numbers": ["judge.*.accuracy"],
    "seeds": {"keys": ["judge.seed"], "values": [1, 2]},
    "parameters": {"judge.steps": [5]},
}
COMMAND = [
    *("snakemake", "--snakefile", "workflow/grid.smk", "--config", "grid=judge"),
    *("--cores", "2", "--resources", "gpu=2", "--keep-going"),
]
VICTIM = "steps-5_seed-1"
LIMIT = 1200  # seconds; only to end a hang


def test_a_killed_job_loses_only_itself_and_a_rerun_completes_the_table(copy: Scratch) -> None:
    with (copy.root / "grids.yaml").open("w") as file:
        YAML().dump({"judge": GRID}, file)
    copies = copy.root / "checkpoints/grids/judge"
    driver = copy.start(*COMMAND)
    wait_until(
        lambda: bool(_trainers(copies / VICTIM)), lambda: copy.text("started.txt"), seconds=LIMIT
    )
    for pid in _trainers(copies / VICTIM):
        os.kill(pid, signal.SIGKILL)
    assert driver.wait(LIMIT) != 0
    done = {path.stem for path in copies.glob("*.json")} - {"snapshot"}
    assert done == {"shared", "steps-5_seed-2"}
    assert "1 of 2 runs" in copy.run("hw2", "grid", "judge", "--table").text

    again = copy.run(*COMMAND)
    assert again.code == 0, again.text
    finished = re.findall(r"Finished jobid: \d+ \(Rule: (.+)\)", again.text)
    assert set(finished) == {VICTIM, "table", "all"}
    rows = files.read_table(copy.root / "results/grids/judge.csv")
    assert {(row["steps"], row["seeds"]) for row in rows} == {(5, 2)}
    assert "Nothing to be done" in copy.run(*COMMAND).text

    # What no parameter of the grid reaches came from the cache.
    logs = "".join(path.read_text() for path in (copy.root / "logs/grids/judge").glob("*.log"))
    assert "Running stage 'judge_train'" in logs
    assert "Running stage 'digits_pack'" not in logs
    assert not processes(copy.root)


def _trainers(folder: Path) -> list[int]:
    return [pid for pid, command in processes(folder).items() if "judge_train.py" in command]

"""A short form of `kills.py`: one kill of each way to run a stage.

`test_damage` has kills at the moment in which plain DVC writes its own files.
"""

from pathlib import Path

import pytest
from kills import Bench, Kill
from scratch import Scratch

from hw2.pipeline import unrecorded

pytestmark = pytest.mark.slow

# Seconds that the command takes at least; a kill that comes too early or too late does no harm.
SECONDS = 6.0
KILLS = [
    Kill(0, "snakemake", "ddpm_sample", "SIGTERM", "", 0.9, True, "dvc"),
    Kill(1, "bare", "ddpm_train", "SIGKILL", "", 0.9, True, "bare"),
]


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: f"{kill.tool} {kill.stage}")
def test_a_kill_at_any_instant_costs_nothing(built: Scratch, tmp_path: Path, kill: Kill) -> None:
    outcome = Bench(built, tmp_path / "work").run(kill, SECONDS)
    assert not outcome.is_fault, outcome


def test_row_09_a_stage_that_dvc_has_not_recorded_yet_does_not_run_again(
    built: Scratch, tmp_path: Path
) -> None:
    stage = "digits_pack"
    finished = str(unrecorded.FOLDER / stage)
    kill = Kill(2, "dvc", stage, "SIGKILL", finished, 0.1, True, "dvc")
    outcome = Bench(built, tmp_path / "work").run(kill, SECONDS)
    assert outcome.put_back
    assert not outcome.is_fault, outcome

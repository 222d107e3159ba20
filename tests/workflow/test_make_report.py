"""`make report` runs the pipeline if something is due, and nothing else takes its time."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
PLAN, DOCTOR, COMPARE = "hw2 plan --exit-code", "hw2 doctor --quiet", "hw2 compare"
RUN = "snakemake --cores all results/report_figs"


PROGRAM = """#!/bin/sh
echo "{name} $*" >> calls
case " $CODES" in *" $1="*) code="${{CODES#*$1=}}"; exit "${{code%% *}}" ;; esac
"""
"""Records its call, and exits with the code that the variable CODES has for its first argument."""


def made(folder: Path, codes: dict[str, int]) -> tuple[int, list[str]]:
    """Run `make report` with programs that exit with codes; returns that of make, and the calls."""
    shutil.copy(REPO / "Makefile", folder)
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    for name in ("hw2", "snakemake"):
        (programs / name).write_text(PROGRAM.format(name=name))
        (programs / name).chmod(0o755)
    environment = os.environ | {"CODES": " ".join(f"{key}={codes[key]}" for key in codes)}
    done = subprocess.run(
        ["make", "-o", "install", "report"], cwd=folder, env=environment, capture_output=True
    )
    return done.returncode, (folder / "calls").read_text().splitlines()


@pytest.mark.parametrize(
    ("codes", "succeeds", "calls"),
    [
        pytest.param({"plan": 0}, True, [PLAN, COMPARE], id="nothing is due"),
        pytest.param({"plan": 1}, True, [PLAN, DOCTOR, RUN, COMPARE], id="stages are due"),
        pytest.param({"plan": 2}, False, [PLAN], id="the plan found something missing"),
        pytest.param({"plan": 1, "doctor": 2}, False, [PLAN, DOCTOR], id="a check fails"),
        pytest.param({"plan": 1, "--cores": 1}, False, [PLAN, DOCTOR, RUN], id="a stage fails"),
        pytest.param({"compare": 2}, True, [PLAN, COMPARE], id="nothing to compare with"),
    ],
)
def test_make_report_runs_what_is_needed(
    codes: dict[str, int], succeeds: bool, calls: list[str], tmp_path: Path
) -> None:
    code, made_calls = made(tmp_path, codes)
    assert (code == 0, made_calls) == (succeeds, calls)

"""`benchmarks/gpu.py` runs every step at small sizes on a CPU, and refuses to run without a GPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_every_step_runs_at_a_small_size(tmp_path: Path) -> None:
    done = run("--device", "cpu", "--tiny", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / "gpu.json").read_text())
    assert record["device"] == "CPU"
    assert all(row["within"] for row in record["checks"].values())
    assert all(row["images_per_second"] > 0 for row in record["workloads"].values())
    table = (tmp_path / "gpu.md").read_text()
    assert all(name in table for name in (*record["checks"], *record["workloads"]))


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_without_a_gpu_one_line_says_so_and_nothing_is_written(tmp_path: Path) -> None:
    done = run("--out", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no CUDA device" in done.stderr
    assert not list(tmp_path.iterdir())

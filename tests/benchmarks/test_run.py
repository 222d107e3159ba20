"""`benchmarks/run.py` measures rows at small sizes and writes what it found in three forms."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "run.py"
ROWS = ("reading", "growth-classes")


def run(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", "--out", str(out), *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("benchmarks")
    done = run(out, *(word for row in ROWS for word in ("--only", row)))
    assert done.returncode == 0, done.stdout + done.stderr
    return out, json.loads((out / "results.json").read_text())


def test_a_row_holds_the_times_of_every_contender_and_their_ratios(
    results: tuple[Path, dict[str, Any]],
) -> None:
    _, record = results
    assert set(record["rows"]) == set(ROWS)
    assert record["quick"]
    assert "ddpm-step" in record["not_measured"]
    row = record["rows"]["reading"]
    assert {"ours"} < set(row["seconds"])
    assert set(row["ratio"]) == set(row["wall_ratio"]) == set(row["seconds"]) - {"ours"}
    for value in (*row["seconds"].values(), *row["ratio"].values(), row["share_of_ceiling"]):
        assert 0 < value["low"] <= value["median"] <= value["high"]
    assert row["rounds"] == 1


def test_a_row_of_growth_holds_a_time_for_each_size(results: tuple[Path, dict[str, Any]]) -> None:
    row = results[1]["rows"]["growth-classes"]
    assert all(len(values) == len(row["sizes"]) for values in row["seconds"].values())
    assert set(row["exponents"]) == set(row["seconds"])


def test_the_page_names_every_row_and_what_was_not_measured(
    results: tuple[Path, dict[str, Any]],
) -> None:
    out, record = results
    page = (out / "results.md").read_text()
    assert all(row["title"] in page for row in record["rows"].values())
    assert "A quick run" in page
    assert all(f"`{name}`" in page for name in record["not_measured"])
    assert (out / "results.png").read_bytes().startswith(b"\x89PNG")


def test_an_unknown_row_is_refused_in_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "--only", "nothing")
    assert done.returncode == 2
    assert "invalid choice: 'nothing'" in done.stderr
    assert not list(tmp_path.iterdir())

"""`dvc metrics diff` and `dvc exp run -S` show what a parameter does."""

import json

import pytest
from scratch import Scratch

pytestmark = pytest.mark.slow


def test_metrics_diff_prints_old_new_and_change(copy: Scratch) -> None:
    copy.set({"ddpm.sampling.seed": 123})
    copy.dvc("repro", "ddpm_evaluate")
    table = copy.dvc("metrics", "diff", "--all").text
    assert "workspace" in table
    assert "Change" in table
    diff = json.loads(copy.dvc("metrics", "diff", "--all", "--json").text)
    for file in sorted((copy.root / "results/metrics").glob("*.json")):
        assert file.stat().st_size < 15_000  # seven adaptation methods on two pairs take 12 kB
        values = diff[file.relative_to(copy.root).as_posix()]
        assert values
        assert all({"old", "new", "diff"} <= set(entry) for entry in values.values())


def test_experiments_run_here_and_in_a_temporary_folder(copy: Scratch) -> None:
    assert copy.dvc("exp", "run", "-S", "figures.dpi=41").ran == {"report_figs"}
    assert "dpi: 41" in copy.text("params.yaml")
    copy.git("checkout", "-q", "params.yaml", "dvc.lock")
    copy.dvc("checkout", "-q")
    assert copy.dvc("exp", "run", "--temp", "-S", "figures.dpi=43").ran == {"report_figs"}
    assert "dpi: 40" in copy.text("params.yaml")

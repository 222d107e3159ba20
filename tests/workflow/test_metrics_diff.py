"""`dvc metrics diff` and `dvc exp run -S` show what a parameter does."""

import json

import pytest
from scratch import Scratch

pytestmark = pytest.mark.slow

HEADLINE = "results/metrics/headline.json"


def test_metrics_diff_prints_old_new_and_change(copy: Scratch) -> None:
    copy.set({"ddpm.sampling.seed": 123})
    copy.dvc("repro", "headline")
    table = copy.dvc("metrics", "diff", "--all").text
    assert "workspace" in table
    assert "Change" in table
    (values,) = json.loads(copy.dvc("metrics", "diff", "--all", "--json").text).values()
    assert all({"old", "new", "diff"} <= set(entry) for entry in values.values())
    assert {"ddpm.mnistm.accuracy", "dann.mnistm->usps.dann.accuracy"} <= set(values)
    # Only what depends on the parameter may change.
    changed = json.loads(copy.dvc("metrics", "diff", "--json").text).get(HEADLINE, {})
    assert all(name.startswith("ddpm.") for name in changed)


def test_compare_names_the_numbers_that_a_parameter_changed(copy: Scratch) -> None:
    assert "the same as in HEAD" in copy.run("hw2", "compare").text
    copy.set({"faces.seed": 123})
    copy.dvc("repro", "headline")
    done = copy.run("hw2", "compare", "--format", "json")
    verdicts = {row["name"]: row["verdict"] for row in json.loads(done.text)}
    assert verdicts["faces.eta_1.distance"] != "the same"
    assert verdicts["ddpm.mnistm.accuracy"] == "the same"


def test_experiments_run_here_and_in_a_temporary_folder(copy: Scratch) -> None:
    assert copy.dvc("exp", "run", "-S", "figures.dpi=41").ran == {"report_figs"}
    assert "dpi: 41" in copy.text("params.yaml")
    copy.git("checkout", "-q", "params.yaml", "dvc.lock")
    copy.dvc("checkout", "-q")
    assert copy.dvc("exp", "run", "--temp", "-S", "figures.dpi=43").ran == {"report_figs"}
    assert "dpi: 40" in copy.text("params.yaml")

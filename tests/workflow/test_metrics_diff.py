"""`dvc metrics diff` and `dvc exp run -S` show what a parameter does."""

import json
from pathlib import Path

import pytest
from scratch import Scratch, once

pytestmark = pytest.mark.slow

HEADLINE = "results/metrics/headline.json"


@pytest.fixture(scope="session")
def other_faces(built: Scratch) -> Scratch:
    """`built` with other faces and the numbers that follow, not committed. Only look at it."""

    def make(root: Path) -> None:
        scratch = built.copy(root)
        scratch.set({"faces.seed": 123})
        scratch.dvc("repro", "headline")

    return once(built.root.parent / "other_faces", make)


def test_metrics_diff_prints_old_new_and_change(other_faces: Scratch) -> None:
    table = other_faces.dvc("metrics", "diff", "--all").text
    assert "workspace" in table
    assert "Change" in table
    (values,) = json.loads(other_faces.dvc("metrics", "diff", "--all", "--json").text).values()
    assert all({"old", "new", "diff"} <= set(entry) for entry in values.values())
    assert {"ddpm.mnistm.accuracy", "dann.mnistm->usps.dann.accuracy"} <= set(values)
    # Only what depends on the parameter changes.
    changed = json.loads(other_faces.dvc("metrics", "diff", "--json").text)[HEADLINE]
    assert "faces.eta_1.distance" in changed
    assert all(name.startswith("faces.") for name in changed)


def test_compare_names_the_numbers_that_a_parameter_changed(
    built: Scratch, other_faces: Scratch
) -> None:
    assert "the same as in HEAD" in built.run("hw2", "compare").text
    done = other_faces.run("hw2", "compare", "--format", "json")
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

"""`hw2 plan` says before a run what is due, and for how long where that was measured."""

import json
import re

import pytest
from scratch import Scratch

pytestmark = pytest.mark.slow


def test_plan_lists_due_stages_and_their_durations(copy: Scratch) -> None:
    nothing = copy.run("hw2", "plan", "--exit-code")
    assert (nothing.code, "all results are up to date" in nothing.text) == (0, True)
    copy.set({"ddpm.sweep.scales": [1.0, 4.0]})
    unmeasured = copy.run("hw2", "plan", "--exit-code")
    assert unmeasured.code == 1
    assert "4 stages to run; there are no times of profile mini yet" in unmeasured.text
    recorded = copy.run("hw2", "plan", "--record")
    assert recorded.code == 0, recorded.text
    # A stage whose outputs Git had already was skipped; its log is empty.
    timings = json.loads(copy.text("workflow/timings.json"))["mini"]
    (copy.root / "logs/dann_evaluate.log").write_text("")
    assert copy.run("hw2", "plan", "--record").code == 0
    again = json.loads(copy.text("workflow/timings.json"))["mini"]
    assert again["stages"] == timings["stages"]
    assert timings["starts"].keys() - again["starts"].keys() == {"dann_evaluate"}
    # How long depends on the machine: each stage imports torch, which takes seconds on a slow one.
    plan = copy.run("hw2", "plan").text
    assert re.search(r"4 stages to run: (under a minute|about \d+ min) on this machine", plan)
    record = json.loads(copy.run("hw2", "plan", "--json").text)
    due = {stage["name"]: stage for stage in record["stages"]}
    assert list(due) == ["ddpm_sweep", "ddpm_evaluate", "headline", "report_figs"]
    assert due["ddpm_sweep"]["description"].startswith("Compare guidance scales")
    # Each reads what the one before it writes, so that none runs beside another.
    assert sum(stage["seconds"] for stage in due.values()) == pytest.approx(
        record["seconds"], abs=0.3
    )
    assert all(re.search(rf"^{name} +\d+ (s|min)", plan, re.M) for name in due)


def test_plan_names_only_stages_whose_code_was_edited_and_those_after_them(copy: Scratch) -> None:
    source = copy.root / "src/hw2/figures/gantt.py"
    source.write_text(source.read_text() + "\n_EDITED = 1\n")
    record = json.loads(copy.run("hw2", "plan", "--json").text)
    assert [stage["name"] for stage in record["stages"]] == ["code", "report_figs"]

"""The plan of a run, as a table and as JSON."""

import json

import pytest

from hw2.cli import plan_table
from hw2.commands.doctor_finding import Finding
from hw2.pipeline.plan import DueStage, Plan

MEASURED = Plan(
    "demo",
    (DueStage("ddpm_train", "Train it", 250.04), DueStage("headline", "Select the numbers", 4.6)),
)


def test_a_row_for_each_stage_and_their_sum() -> None:
    assert plan_table.text(MEASURED).splitlines() == [
        "stage        time  what it does",
        "ddpm_train  4 min  Train it",
        "headline      5 s  Select the numbers",
        "2 stages to run: about 4 min on this machine",
    ]


@pytest.mark.parametrize(
    ("seconds", "last"),
    [
        ((20.0,), "1 stage to run: under a minute on this machine"),
        ((40.0, 40.0), "2 stages to run: about 1 min on this machine"),
        ((None,), "1 stage to run; there are no times of profile mini yet"),
        ((3.0, None), "2 stages to run; there are no times of profile mini for 1 of them yet"),
    ],
)
def test_the_last_line_says_how_long(seconds: tuple[float | None, ...], last: str) -> None:
    plan = Plan("mini", tuple(DueStage(f"s{k}", "", s) for k, s in enumerate(seconds)))
    lines = plan_table.text(plan).splitlines()
    assert lines[-1] == last
    assert ("not measured" in lines[-2]) == (seconds[-1] is None)


def test_stages_that_run_at_the_same_time_count_once() -> None:
    stages = (
        DueStage("train", "", 100.0),
        DueStage("faces", "", 70.0),
        DueStage("sample", "", 50.0, before=("train", "not due")),
    )
    assert [Plan("demo", stages, at_once).seconds for at_once in (1, 2)] == [220.0, 150.0]


def test_nothing_to_run() -> None:
    assert plan_table.text(Plan("demo", ())) == "all results are up to date"
    assert json.loads(plan_table.as_json(Plan("demo", ()))) == {
        "profile": "demo", "seconds": 0, "stages": [], "checks": [],
    }  # fmt: skip


def test_what_due_stages_lack_is_below_the_table_a_line_for_each() -> None:
    findings = [
        ("disk", Finding("ok", "100 GB free")),
        ("files", Finding("fail", "a: no x\nb: no y", "put them there")),
    ]
    assert plan_table.text(MEASURED, findings).splitlines()[4:] == [
        "fail  files: a: no x",
        "fail  files: b: no y",
        "      put them there",
    ]
    assert json.loads(plan_table.as_json(MEASURED, findings))["checks"][1] == {
        "name": "files", "status": "fail", "text": "a: no x\nb: no y", "fix": "put them there",
    }  # fmt: skip


def test_json_has_seconds() -> None:
    plan = Plan("demo", (*MEASURED.stages, DueStage("new", "", None)))
    record = json.loads(plan_table.as_json(plan))
    assert (record["profile"], record["seconds"]) == ("demo", None)
    assert record["stages"][0] == {
        "name": "ddpm_train", "description": "Train it", "seconds": 250.0,
    }  # fmt: skip
    assert [stage["seconds"] for stage in record["stages"]] == [250.0, 4.6, None]
    assert json.loads(plan_table.as_json(MEASURED))["seconds"] == pytest.approx(254.6)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (59.0, "59 s"), (61.0, "1 min"), (3540.0, "59 min"), (4800.0, "1 h 20 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert plan_table.duration(seconds) == text

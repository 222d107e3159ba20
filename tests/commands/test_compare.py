"""`hw2 compare`: revisions, experiments and the working tree, in three formats."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hw2 import cli
from hw2.evaluation import headline, outcomes
from hw2.evaluation.headline import Number
from hw2.evaluation.intervals import proportion
from hw2.io import files

REPO = Path(__file__).parents[2]
RECORD = "results/details/headline.json"
BEFORE = [
    Number("ddpm.svhn.accuracy", 0.951, 0.9358, 0.9627, 1000, 1),
    Number("ddpm.svhn.recall", 0.6, None, None, 500, 1),
    Number("dann.a->b.dann.accuracy", 0.8, 0.78, 0.82, 2000, 1),
]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose HEAD has the numbers `BEFORE`; the first commit has none."""
    monkeypatch.chdir(tmp_path)
    for name in ("dvc.yaml", "paths.yaml"):
        shutil.copy(REPO / name, tmp_path)
    git("init", "--quiet")
    git("add", "."), git("commit", "--quiet", "--message", "nothing")
    write(BEFORE)
    git("add", "."), git("commit", "--quiet", "--message", "numbers")
    return tmp_path


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], check=True)


def write(numbers: list[Number]) -> None:
    Path(RECORD).parent.mkdir(parents=True, exist_ok=True)
    files.write_json(RECORD, headline.to_record(numbers))


def changed(accuracy: float, low: float, high: float) -> list[Number]:
    return [replace(BEFORE[0], value=accuracy, low=low, high=high), *BEFORE[1:]]


def test_a_rerun_reproduces_all(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "3 of 3 headline numbers are the same as in HEAD or not distinguishable from it"
    ]
    assert cli.main(["compare", "--all"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_a_change_is_listed_with_its_interval(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(changed(0.9, 0.8799, 0.9171))
    assert cli.main(["compare"]) == 0
    head, row, last, remark = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["number", "HEAD", "workspace"]
    assert row.split() == [
        *("ddpm.svhn.accuracy", "0.951", "0.9", "-0.051", "-0.0743", "to", "-0.0281"),
        *("items", "1000", "worse"),
    ]
    assert last.endswith("; 1 worse")
    assert remark.startswith("1 of those that differ have an interval over test items only")


@pytest.mark.parametrize(
    ("numbers", "fail_on", "code"),
    [
        (changed(0.9, 0.8799, 0.9171), "worse", 1),
        (changed(0.99, 0.9817, 0.9946), "worse", 0),
        (changed(0.99, 0.9817, 0.9946), "different", 1),
        (changed(0.957, 0.9428, 0.9678), "different", 0),
    ],
)
def test_a_verdict_may_fail(
    repository: Path, numbers: list[Number], fail_on: str, code: int
) -> None:
    write(numbers)
    assert cli.main(["compare", "HEAD", "workspace", "--fail-on", fail_on]) == code


def test_markdown_and_json(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(changed(0.957, 0.9428, 0.9678))
    cli.main(["compare", "--format", "markdown"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "| --- | --- | --- | --- | --- | --- | --- | --- |"
    assert lines[2].endswith("| items | 1000 | not distinguishable |")
    cli.main(["compare", "--format", "json"])
    rows = json.loads(capsys.readouterr().out)
    assert [row["verdict"] for row in rows] == ["not distinguishable", "the same", "the same"]
    assert rows[0]["first"]["value"] == 0.951


def accuracy(hits: int, items: str = "test split") -> Number:
    """Right on the first `hits` of 1000 items, with outcomes."""
    right = np.arange(1000) < hits
    share = proportion(right)
    read = outcomes.from_record(outcomes.encoded(right, items)["outcomes"])
    return Number("dann.a->b.dann.accuracy", share.value, share.low, share.high, 1000, 1, read)


def commit(number: Number, tag: str) -> None:
    write([number])
    git("add", "."), git("commit", "--quiet", "--message", tag), git("tag", tag)


def test_runs_on_the_same_items_are_paired_in_the_table_and_in_json(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(accuracy(900), "first")
    for items, covered, paired in (("test split", "paired items", True), ("new", "items", False)):
        write([accuracy(908, items)])
        assert cli.main(["compare", "first", "workspace", "--format", "markdown"]) == 0
        row = capsys.readouterr().out.splitlines()[2].split(" | ")
        assert row[5:] == [covered, "1000", "better |" if paired else "not distinguishable |"]
        cli.main(["compare", "first", "workspace", "--format", "json"])
        (difference,) = json.loads(capsys.readouterr().out)
        assert difference["paired"] is paired
        # 8 items gained and none lost: twice 2^-8.
        assert difference["p"] == (pytest.approx(2**-7) if paired else None)
        assert "outcomes" not in difference["first"]


def test_a_recorded_spread_counts_for_runs_of_its_profile(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("params.yaml").write_text("profile: mini  # comment\n")
    for hits in (890, 900, 910):
        commit(accuracy(hits), f"seed-{hits}")
    assert cli.main(["compare", "seed-900", "seed-910"]) == 0
    assert "no spread between trainings is known" in capsys.readouterr().out
    Path("workflow").mkdir()
    assert cli.main(["compare", "--record-spread", "seed-890", "seed-900", "seed-910"]) == 0
    assert "spread between trainings of 1 numbers, profile mini" in capsys.readouterr().out
    recorded = json.loads(Path("workflow/training_spread.json").read_text())
    assert recorded == {"mini": {"dann.a->b.dann.accuracy": {"deviation": 0.01, "trainings": 3}}}
    assert cli.main(["compare", "seed-900", "seed-910", "--fail-on", "different"]) == 0
    shown = capsys.readouterr().out
    assert "paired items, trainings" in shown
    assert "no spread" not in shown
    Path("params.yaml").write_text("profile: demo\n")
    assert cli.main(["compare", "seed-900", "workspace", "--fail-on", "different"]) == 1


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (["HEAD", "workspace"], "HEAD, workspace: not all of one profile; name reruns"),
        (["workspace"], "workspace: one training of each number; name two runs or more"),
        (["workspce"], "workspce: neither a revision of Git nor an experiment"),
    ],
)
def test_runs_without_a_spread_are_one_line(
    repository: Path, capsys: pytest.CaptureFixture[str], runs: list[str], message: str
) -> None:
    Path("params.yaml").write_text("profile: mini\n")
    assert cli.main(["compare", "--record-spread", *runs]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"hw2 compare: {message}")
    assert error.count("\n") == 1
    assert not Path("workflow").exists()


def test_the_nearest_revision_is_suggested(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git("tag", "baseline")
    assert cli.main(["compare", "basline"]) == 2
    assert "did you mean 'baseline'?" in capsys.readouterr().err


def test_an_experiment_is_found_by_its_name(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(changed(0.9, 0.8799, 0.9171))
    git("stash", "--quiet")
    git("update-ref", "refs/exps/12/34567/blunt-gate", "stash@{0}")
    assert cli.main(["compare", "HEAD", "blunt-gate", "--fail-on", "worse"]) == 1
    assert cli.main(["compare", "workspace", "HEAD", "--fail-on", "different"]) == 0


@pytest.mark.parametrize(
    ("revision", "message"),
    [
        ("nowhere", "hw2 compare: nowhere: neither a revision of Git nor an experiment"),
        ("HEAD~1", "hw2 compare: HEAD~1: has no results/details/headline.json"),
    ],
)
def test_a_revision_without_numbers_is_one_line(
    repository: Path, capsys: pytest.CaptureFixture[str], revision: str, message: str
) -> None:
    assert cli.main(["compare", revision]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(message)


def test_a_damaged_record_is_one_line(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path(RECORD).write_text("{}")
    assert cli.main(["compare"]) == 2
    assert "not a record of headline numbers" in capsys.readouterr().err

"""Damage that a kill or a wrong clock leaves costs no result and no second run of a stage."""

import os

import pytest
from scratch import FIGURES, REPORT, Scratch

pytestmark = pytest.mark.slow

METRICS = "results/details/personalization.json"


def test_a_damaged_dvc_lock_retrains_nothing(copy: Scratch) -> None:
    # Newer than the last commit, with measurements, which are not in Git yet.
    copy.set({"personalization.alignment.images": 2})
    assert copy.snakemake().ran == {"personalization_evaluate"} | REPORT
    metrics, lock = copy.text(METRICS), copy.text("dvc.lock")

    (copy.root / "dvc.lock").write_bytes(b"")
    (copy.root / ".dvc/tmp/rwlock").write_bytes(b'{"write": {"/')
    plan = copy.run("hw2", "plan")
    assert plan.code == 0, plan.text
    assert "dvc.lock: was damaged" in plan.text
    assert copy.snakemake().ran <= {"headline"}
    assert copy.text(METRICS) == metrics
    assert copy.text("dvc.lock") == lock
    assert copy.scheduled() == set()


def test_earlier_parameters_restore_their_results(copy: Scratch) -> None:
    """Of a stage whose measurements are in Git, too, in both tools."""
    measured = copy.text(METRICS)
    copy.set({"personalization.alignment.images": 2})
    copy.dvc("repro", "personalization_evaluate")
    others = copy.text(METRICS)
    assert others != measured
    copy.set({"personalization.alignment.images": 1})
    assert copy.snakemake().ran <= {"headline"}
    assert copy.text(METRICS) == measured
    assert copy.git("status", "--porcelain") == ""
    copy.set({"personalization.alignment.images": 2})
    assert not copy.dvc("repro", "personalization_evaluate").ran
    assert copy.text(METRICS) == others


def test_results_dated_in_the_future_are_kept(copy: Scratch) -> None:
    future = 4_000_000_000
    for folder in ("results", "data"):
        for item in sorted((copy.root / folder).rglob("*")):
            os.utime(item, (future, future), follow_symlinks=False)
    copy.set({"figures.dpi": 42})
    assert copy.snakemake().ran == {"report_figs"}
    assert (copy.root / FIGURES / "index.html").is_file()
    assert copy.scheduled() == set()

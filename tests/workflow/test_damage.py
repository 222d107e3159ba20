"""Damage that a kill or a wrong clock leaves costs no result and no second run of a stage."""

import os
import signal
from pathlib import Path

import pytest
from scratch import FIGURES, REPORT, Scratch, once

pytestmark = pytest.mark.slow

METRICS = "results/details/personalization.json"
# A `sitecustomize.py`: kills plain DVC half-way through its write of dvc.lock after `judge_train`.
KILL_IN_WRITE = """\
import os, signal, sys
if any(word.endswith("/dvc") for word in sys.orig_argv):
    import dvc.utils.serialize._common as serialization
    write = serialization._dump_data

    def killed(path, data, *arguments, **options):
        if "judge_train" in data.get("stages", {}) and str(path).endswith("dvc.lock"):
            with open(path, "w") as file:
                file.write("schema: '2.0'\\nsta")
            os.kill(os.getpid(), signal.SIGKILL)
        return write(path, data, *arguments, **options)

    serialization._dump_data = killed
"""


@pytest.fixture(scope="session")
def newer(built: Scratch) -> Scratch:
    """`built` with other measurements, which are not in Git yet. Only look at it: it is shared."""

    def make(root: Path) -> None:
        scratch = built.copy(root)
        scratch.set({"personalization.alignment.images": 2})
        assert scratch.snakemake().ran == {"personalization_evaluate"} | REPORT

    return once(built.root.parent / "newer", make)


def test_a_damaged_dvc_lock_retrains_nothing(newer: Scratch, tmp_path: Path) -> None:
    copy = newer.copy(tmp_path / "copy")
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


def test_row_09_found_15_plain_dvc_killed_while_it_writes_its_state_costs_no_training(
    source: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `judge_train` trains, and a part of its outputs is in Git, so DVC keeps no run cache of it.
    scratch = source.copy(tmp_path / "killed")
    (tmp_path / "sitecustomize.py").write_text(KILL_IN_WRITE)
    with monkeypatch.context() as patched:
        patched.setenv("PYTHONPATH", str(tmp_path))
        killed = scratch.run("dvc", "repro", "judge_train")
    assert killed.code == -signal.SIGKILL, killed.text
    assert killed.ran == {"digits_fetch", "digits_pack", "judge_train"}
    assert scratch.text("dvc.lock") == "schema: '2.0'\nsta"
    (scratch.root / ".dvc/tmp/rwlock").write_bytes(b'{"write": {"/')  # it may die there as well
    again = scratch.copy(tmp_path / "again")

    healed = again.run("dvc", "repro", "judge_train")
    assert (healed.code, healed.ran) == (0, set()), healed.text
    assert healed.text.count("dvc.lock: was damaged") == 1
    assert healed.text.count("rwlock: was damaged") == 1
    done = scratch.snakemake("results/judge")
    assert done.ran == set()
    assert done.text.count("dvc.lock: was damaged") == 1
    assert scratch.scheduled("results/judge") == set()
    assert not scratch.changed() & killed.ran


def test_earlier_parameters_restore_their_results(
    built: Scratch, newer: Scratch, tmp_path: Path
) -> None:
    """Of a stage whose measurements are in Git, too, in both tools."""
    copy = newer.copy(tmp_path / "copy")
    measured, others = built.text(METRICS), copy.text(METRICS)
    assert others != measured
    copy.set({"personalization.alignment.images": 1})
    assert copy.snakemake().ran <= {"headline"}
    assert copy.text(METRICS) == measured
    assert copy.git("status", "--porcelain") == ""
    copy.set({"personalization.alignment.images": 2})
    assert not copy.dvc("repro", "personalization_evaluate").ran
    assert copy.text(METRICS) == others


def test_found_04_results_dated_in_the_future_are_kept(copy: Scratch) -> None:
    future = 4_000_000_000
    for folder in ("results", "data"):
        for item in sorted((copy.root / folder).rglob("*")):
            os.utime(item, (future, future), follow_symlinks=False)
    copy.set({"figures.dpi": 42})
    assert copy.snakemake().ran == {"report_figs"}
    assert (copy.root / FIGURES / "index.html").is_file()
    assert copy.scheduled() == set()

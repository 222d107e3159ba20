"""Clones, missing results, and results that another machine made with other bytes."""

import hashlib
import json
import shutil

import pytest
from ruamel.yaml import YAML
from scratch import BELOW_MODEL, EVERYTHING, FIGURES, Scratch

pytestmark = pytest.mark.slow

MODEL = "results/ddpm/model.safetensors"
METRICS = "results/details/ddpm.json"
# What a trained model leads to, as paths; the metrics are in Git and the rest is in DVC.
LED_TO = [
    MODEL,
    "results/ddpm/history.csv",
    "results/ddpm/guidance.json",
    "results/ddpm/samples.npz",
    "results/ddpm/sweep.csv",
    FIGURES,
]


def _pretend_other_machine(scratch: Scratch) -> None:
    """Commit a state as if a machine whose floats round differently had made it."""
    metrics = scratch.root / METRICS
    metrics.write_text(json.dumps(json.loads(metrics.read_text()) | {"accuracy": 0.123}) + "\n")
    made = {path: hashlib.md5(path.encode()).hexdigest() for path in LED_TO}
    made[FIGURES] += ".dir"
    made[METRICS] = hashlib.md5(metrics.read_bytes()).hexdigest()
    yaml = YAML()
    lock = yaml.load(scratch.root / "dvc.lock")
    for stage in lock["stages"].values():
        for entry in [*stage.get("deps", []), *stage.get("outs", [])]:
            if entry["path"] in made:
                entry["md5"] = made[entry["path"]]
    lock["stages"]["ddpm_evaluate"]["outs"][0]["size"] = metrics.stat().st_size
    yaml.dump(lock, scratch.root / "dvc.lock")
    scratch.commit("made elsewhere")


def test_fresh_clone_runs_all_in_snakemake_and_remakes_the_metrics(
    built: Scratch, clone: Scratch
) -> None:
    _pretend_other_machine(clone)
    done = clone.snakemake(FIGURES)
    # The measurements of the DANN come with Git, and its trainings gave the same bytes: DVC skips
    # them.
    assert done.ran == EVERYTHING - {"dann_evaluate"}
    assert clone.text(METRICS) == built.text(METRICS)
    # The log of each stage is on disk, and DVC has nothing left to do.
    assert all((clone.root / f"logs/{stage}.log").is_file() for stage in EVERYTHING)
    assert clone.changed() == set()
    assert not clone.dvc("repro").ran
    assert clone.text("dvc.lock") == built.text("dvc.lock")


def test_missing_results_are_remade_by_dvc_with_the_metrics(built: Scratch, copy: Scratch) -> None:
    _pretend_other_machine(copy)
    for path in LED_TO[:-1]:
        (copy.root / path).unlink()
    shutil.rmtree(copy.root / FIGURES)
    shutil.rmtree(copy.root / ".dvc/cache/runs")
    done = copy.dvc("repro")
    assert done.ran == BELOW_MODEL | {"ddpm_train"}
    assert copy.text(METRICS) == built.text(METRICS)
    assert copy.scheduled() == set()


def test_nothing_is_retrained_after_a_pull(built: Scratch, clone: Scratch) -> None:
    clone.dvc("pull", "-q")
    assert clone.scheduled() == set()
    assert not clone.dvc("repro").ran
    assert clone.snakemake(FIGURES).ran == set()
    shutil.rmtree(clone.root / ".snakemake")
    assert clone.scheduled() == set()

    # A missing file is made only if something needs it ...
    (clone.root / MODEL).unlink()
    assert clone.scheduled(FIGURES) == set()
    # ... and then all that depends on it is looked at again. Equal bytes: nothing is recomputed.
    assert clone.scheduled() == BELOW_MODEL | {"ddpm_train"}
    assert clone.snakemake().ran <= {"report_figs"}
    assert clone.git("status", "--porcelain") == ""
    assert clone.text(METRICS) == built.text(METRICS)

"""Provenance names the commit, what differs from it, and what differs from the default."""

import json
import subprocess
from pathlib import Path

import pytest

from hw2.pipeline import provenance
from hw2.runtime.provenance import Changed, Data

LOCK = """
schema: '2.0'
stages:
  digits_fetch:
    cmd: x
    deps:
    - {path: data/pretrained/clip/SHA256SUMS, hash: md5, md5: 33ff, size: 12}
    - {path: src/hw2, hash: md5, md5: 44.dir, size: 9}
    outs:
    - {path: data/digits.zip, hash: md5, md5: 11aa, size: 1500000}
  former_name:
    cmd: x
    outs:
    - {path: data/old.zip, hash: md5, md5: 22bb, size: 1}
"""


def git(*arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "workflow").mkdir()
    files = {
        "params.yaml": "profile: demo\nddpm:\n  steps: 10\n  lr: 0.1\njudge: {seed: null}\n",
        "profiles.yaml": "demo:\n  ddpm.steps: 10\nmini:\n  ddpm.steps: 2\n",
        "dvc.yaml": "stages: {digits_fetch: {cmd: x, outs: ['${path.digits_archive}']}}\n",
        "dvc.lock": LOCK,
        "workflow/timings.json": json.dumps({"demo": {"stages": {"digits_fetch": 2.5}}}),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "start")
    return tmp_path


def test_a_clean_checkout_of_the_default(checkout: Path) -> None:
    facts = provenance.collect()
    assert facts.commit == git("rev-parse", "HEAD")
    assert facts.modified == ()
    assert facts.profile == "demo"
    assert facts.parameters == ()
    assert facts.seconds == {"digits_fetch": 2.5}
    assert facts.versions["numpy"].count(".") == 2
    assert "core(s)" in facts.machine[0]


def test_changed_parameters_are_those_of_profile_and_commit(checkout: Path) -> None:
    text = "profile: mini\nddpm:\n  steps: 2\n  lr: 0.3\njudge: {seed: 4}\n"
    (checkout / "params.yaml").write_text(text)
    facts = provenance.collect()
    assert facts.profile == "mini"
    assert facts.parameters == (
        Changed("ddpm.steps", "2", "10"),
        Changed("ddpm.lr", "0.3", "0.1"),
        Changed("judge.seed", "4", "null"),
    )
    assert facts.modified == ("params.yaml",)


def test_results_in_git_do_not_count_as_modified(checkout: Path) -> None:
    (checkout / "results").mkdir()
    (checkout / "results/metrics.json").write_text("{}")
    (checkout / "dvc.lock").write_text(LOCK + "# changed\n")
    assert provenance.collect().modified == ()


def test_data_are_those_of_the_present_stages(checkout: Path) -> None:
    assert provenance.collect().data == (
        Data("data/digits.zip", "11aa", 1500000),
        Data("data/pretrained/clip/SHA256SUMS", "33ff", 12),
    )
    (checkout / "dvc.lock").unlink()
    assert provenance.collect().data == ()


def test_without_git_the_commit_is_unknown(checkout: Path) -> None:
    subprocess.run(["rm", "-rf", ".git"], check=True)
    facts = provenance.collect()
    assert facts.commit is None
    assert facts.modified is None
    assert facts.parameters == ()


def test_every_output_of_the_dag_has_its_producer() -> None:
    producers = provenance.collect().producers
    assert producers["ddpm_network"] == "ddpm_sample"
    assert producers["headline_metrics"] == "headline"
    assert producers["report_figs"] == "report_figs"


def test_a_commit_of_results_is_not_that_of_the_sources(checkout: Path) -> None:
    before = provenance.collect()
    (checkout / "dvc.lock").write_text(LOCK + "# another run\n")
    git("commit", "--quiet", "--all", "--message", "results")
    assert git("rev-parse", "HEAD") != before.commit
    assert provenance.collect() == before

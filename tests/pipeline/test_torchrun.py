"""A stage in several processes: how many, one report of an error, and an end of all of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import hw2
from hw2.config import loader, params
from hw2.pipeline import torchrun
from hw2.runtime.errors import UserError

ROOT = Path(__file__).parents[2]
SOURCE = str(Path(hw2.__file__).parents[1])
DVC = "stages:\n  train:\n    cmd: python train.py\n    meta: {processes: any}\n"
SCRIPT = """
import os, sys, time
sys.path.insert(0, %r)
from hw2.pipeline import runner
from hw2.runtime import ranks
from hw2.runtime.errors import UserError

def say(text):
    os.write(1, f"{text}\\n".encode())  # in one call, so that lines of two processes do not mix

def stage(*, checkpoints):
%s

if __name__ == "__main__":
    runner.run(stage)
"""
ERROR = """
    say(f"process {ranks.own()} of {ranks.count()}")
    open(f"started-{ranks.own()}", "w").close()
    while not all(os.path.exists(f"started-{rank}") for rank in range(ranks.count())):
        time.sleep(0.05)  # else the end of one process could stop the other before it has begun
    raise UserError("data/x.csv: bad; remake it")
"""
WAITING = """
    say(os.getpid())
    time.sleep(300)
"""
TRAINING = """
    from hw2.training.loop import train
    from hw2.training.session import Session

    def advance(step):
        if step == 2:
            say(os.getpid())
        time.sleep(0.01)
        return {"loss": 1.0}

    with Session(checkpoints) as session:
        resume = session.resume({})
        train(advance, {}, steps=100_000, resume=resume, save_every=100_000, desc="toy")
"""


@pytest.mark.parametrize(
    ("meta", "wanted", "variable", "expected"),
    [
        ({"processes": "any"}, 4, "", 4),
        ({"processes": 2}, 4, "", 2),
        ({"processes": 2}, 1, "", 1),
        ({"processes": "any"}, 1, "3", 3),
        ({"processes": "any"}, 8, "1", 1),
        ({"all_cores": True}, 4, "", 1),
        (None, 4, "4", 1),
    ],
)
def test_a_stage_gets_the_processes_that_are_wanted_and_that_it_can_use(
    mini: params.Params,
    monkeypatch: pytest.MonkeyPatch,
    meta: dict[str, Any] | None,
    wanted: int,
    variable: str,
    expected: int,
) -> None:
    monkeypatch.setenv("HW2_PROCESSES", variable)
    runtime = mini.runtime.model_copy(update={"processes": wanted})
    assert torchrun.count("train", {"meta": meta}, runtime) == expected


@pytest.mark.parametrize("variable", ["0", "-1", "two"])
def test_a_variable_that_is_no_count_is_refused(
    mini: params.Params, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("HW2_PROCESSES", variable)
    with pytest.raises(UserError, match=f"HW2_PROCESSES: '{variable}' is no count; write 1"):
        torchrun.count("train", {"meta": {"processes": "any"}}, mini.runtime)


def test_torchrun_of_a_stage_for_one_process_is_refused(
    mini: params.Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert torchrun.count("ddpm_train", {"meta": {"processes": "any"}}, mini.runtime) == 1
    with pytest.raises(UserError, match="stage clip_train uses one process; start its script"):
        torchrun.count("clip_train", {}, mini.runtime)


def test_the_stages_that_can_use_several_processes_end_all_but_the_first() -> None:
    stages = loader.read_yaml(ROOT / "dvc.yaml")["stages"]
    declared = {name for name, entry in stages.items() if "processes" in entry.get("meta", {})}
    sources = {path.stem: path.read_text() for path in (ROOT / "src/hw2/stages").glob("*.py")}
    assert {"ddpm_train", "dann_train", "personalization_train"} <= declared
    assert declared == {name for name, text in sources.items() if "end_all_but_first()" in text}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "a repo"
    root.mkdir()
    (root / "dvc.yaml").write_text(DVC)
    for name in ("params.yaml", "paths.yaml"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    return root


def start(repo: Path, body: str) -> subprocess.Popen[str]:
    (repo / "train.py").write_text(SCRIPT % (SOURCE, body))
    return subprocess.Popen(
        [sys.executable, "-P", str(repo / "train.py")],
        env=os.environ | {"HW2_PROCESSES": "2", "HW2_DEVICE": "cpu", "HW2_LOG_SECONDS": "1000"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def started(repo: Path, body: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A stage in the middle of its work, and its two processes."""
    process = start(repo, body)
    assert process.stdout is not None
    return process, [int(process.stdout.readline()) for _ in range(2)]


def ended(pids: list[int]) -> bool:
    deadline = time.monotonic() + 60
    while any(Path("/proc", str(pid)).exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not any(Path("/proc", str(pid)).exists() for pid in pids)


@pytest.mark.slow
def test_an_error_of_all_processes_is_one_line(repo: Path) -> None:
    process = start(repo, ERROR)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 2, err
    assert sorted(out.splitlines()) == ["process 0 of 2", "process 1 of 2"]
    lines = [line for line in err.splitlines() if "bad; remake it" in line]
    assert lines == ["hw2 train: data/x.csv: bad; remake it"]
    assert "Traceback" not in err
    assert (repo / "logs/train.log").read_text().count("bad; remake it") == 1


@pytest.mark.slow
def test_a_signal_saves_and_ends_all_processes(repo: Path) -> None:
    process, pids = started(repo, TRAINING)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    assert err.count("interrupted at step ") == 1
    assert "Traceback" not in err
    assert ended(pids)
    assert len(list((repo / "checkpoints").glob("*/*/step-*.pt"))) == 1


@pytest.mark.slow
def test_a_lost_process_ends_the_others(repo: Path) -> None:
    process, pids = started(repo, WAITING)
    os.kill(pids[0], signal.SIGKILL)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1, err
    assert " of 2 was ended by SIGKILL; run the same command to continue" in err
    assert "Traceback" not in err
    assert ended(pids)


@pytest.mark.slow
def test_the_processes_do_not_outlive_the_one_that_started_them(repo: Path) -> None:
    process, pids = started(repo, TRAINING)
    process.kill()
    process.communicate(timeout=300)
    assert ended(pids)
    assert len(list((repo / "checkpoints").glob("*/*/step-*.pt"))) == 1

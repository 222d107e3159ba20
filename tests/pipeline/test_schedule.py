"""The order of stages, and how long a run takes with two of them at the same time."""

from pathlib import Path

import pytest

from hw2.pipeline import schedule
from hw2.runtime import device

GRAPH = {"draw": (), "train": ("draw",), "judge": ("draw",), "sample": ("train",), "clip": ()}
SECONDS = {"draw": 5.0, "train": 20.0, "judge": 4.0, "sample": 10.0, "clip": 8.0}


def test_the_longest_chain_is_most_urgent() -> None:
    assert schedule.urgency(GRAPH, SECONDS) == {
        "draw": 35, "train": 30, "judge": 4, "sample": 10, "clip": 8,
    }  # fmt: skip
    assert schedule.urgency({"new": ("draw",)}, SECONDS) == {"new": 1}  # never timed


def test_stages_wait_for_what_they_read_and_for_a_free_place() -> None:
    one_by_one = schedule.simulated(GRAPH, SECONDS, 1)
    assert max(end for _, end in one_by_one.values()) == sum(SECONDS.values())
    assert schedule.simulated(GRAPH, SECONDS, 2) == {
        "draw": (0, 5), "clip": (0, 8), "train": (5, 25), "judge": (8, 12), "sample": (25, 35),
    }  # fmt: skip
    due = {name: GRAPH[name] for name in ("judge", "sample")}  # what they read is there
    assert schedule.simulated(due, SECONDS, 2) == {"sample": (0, 10), "judge": (0, 4)}
    assert schedule.simulated({}, SECONDS, 2) == {}
    at_once = schedule.simulated({"a": (), "b": ("a",)}, {"a": 0.0, "b": 1.0}, 1)
    assert at_once == {"a": (0, 0), "b": (0, 1)}


def test_stages_on_a_gpu_take_turns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    driver = tmp_path / "driver"
    monkeypatch.setattr(device, "_DRIVERS", (str(driver),))
    monkeypatch.delenv("HW2_DEVICE", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [schedule.at_once(cores) for cores in (1, 2, 16)] == [1, 2, 2]
    driver.touch()
    assert schedule.at_once(16) == 1
    monkeypatch.setenv("HW2_DEVICE", "cpu")
    assert schedule.at_once(16) == 2
    monkeypatch.setenv("HW2_DEVICE", "cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert schedule.at_once(16) == 2

"""Trainings side by side: order of results, stops and errors, one progress for all."""

import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from hw2.runtime.errors import Interrupted
from hw2.training.loop import train
from hw2.training.resume import Resume
from hw2.training.side_by_side import side_by_side

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """Two trainings at once, on any machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_results_are_in_order_and_threads_are_divided() -> None:
    both = threading.Barrier(2)

    def training(name: str) -> tuple[str, int]:
        both.wait(10)  # which only two at once can pass
        return name, torch.get_num_threads()

    trainings = [lambda name=name: training(name) for name in "abcd"]
    assert side_by_side(trainings, CPU, steps=0, desc="") == [(name, 1) for name in "abcd"]
    assert side_by_side([torch.get_num_threads], CPU, steps=0, desc="") == [2]
    assert side_by_side([], CPU, steps=0, desc="") == []


def test_a_signal_stops_every_running_training_at_a_step_and_saves(tmp_path: Path) -> None:
    both, started = threading.Barrier(2), []

    def training(name: str) -> object:
        started.append(name)

        def advance(step: int) -> dict[str, float]:
            if step == 2:
                both.wait(10)
                if name == "b":
                    signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)
            return {"loss": 1.0}

        resume = Resume(tmp_path / name, {})
        return train(advance, {}, steps=10**6, resume=resume, save_every=10**6, desc=name)

    with pytest.raises(Interrupted) as caught:
        side_by_side([lambda n=n: training(n) for n in "abc"], CPU, steps=3 * 10**6, desc="")
    assert caught.value.exit_code == 143
    assert sorted(started) == ["a", "b"]
    for name in "ab":
        latest = Resume(tmp_path / name, {}).load_latest()
        assert latest is not None
        assert 3 <= latest[0] < 10**6
    assert not (tmp_path / "c").exists()


def test_an_error_waits_for_running_trainings_and_starts_no_other() -> None:
    failed, finished = threading.Event(), []

    def fail() -> None:
        failed.set()
        raise RuntimeError("broken")

    def other() -> None:
        failed.wait(10)
        finished.append(1)

    with pytest.raises(RuntimeError, match="broken"):
        side_by_side([other, fail, *[other] * 5000], CPU, steps=0, desc="")
    assert 1 <= len(finished) < 5001


def test_the_progress_is_one_for_all_and_counts_resumed_steps(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HW2_LOG_SECONDS", "0")
    Resume(tmp_path / "a", {}).save(3, {"history": {"rows": [], "sums": {}, "count": 0}})

    def training(name: str) -> object:
        resume = Resume(tmp_path / name, {})
        advance = lambda step: {"loss": 1.0}  # noqa: E731
        return train(advance, {}, steps=5, resume=resume, save_every=9, desc=f"training {name}")

    with caplog.at_level(logging.INFO):
        side_by_side([lambda n=n: training(n) for n in "ab"], CPU, steps=10, desc="both")
    lines = [record.getMessage() for record in caplog.records]
    whole = [line for line in lines if line.startswith("both: step ")]
    assert len(whole) == 8  # one for each of seven steps, and the end
    assert whole[-1].startswith("both: step 10/10 ")
    for name in "ab":
        ends = [line for line in lines if line.startswith(f"training {name}: step 5/5")]
        assert len(ends) == 1

"""The seconds of a stage, read from its log."""

from datetime import datetime
from pathlib import Path

import pytest

from hw2.pipeline import logged_seconds
from hw2.runtime.errors import UserError

PREFIX = "2026-01-02 03:04:05,678 INFO "


def test_the_parts_of_a_resumed_stage_are_added_up(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    assert not logged_seconds.is_unfinished(log)
    for seconds, finished, unfinished in (
        (40.25, False, True),
        (0.1, False, True),
        (2, True, False),
    ):
        with log.open("a") as file:
            file.write(f"{PREFIX}step 3: 7.0 s\n")
            assert logged_seconds.is_unfinished(log)
            file.write(f"{PREFIX}{logged_seconds.line(seconds, finished=finished)}\n")
        assert logged_seconds.is_unfinished(log) == unfinished
        if unfinished:
            with pytest.raises(UserError, match="holds no finished run"):
                logged_seconds.read(log)
    assert logged_seconds.read(log) == pytest.approx(40.2 + 0.1 + 2.0)
    began = datetime(2026, 1, 2, 3, 4, 5, 678_000)
    assert logged_seconds.start(log) == began.timestamp()
    log.write_text("stage: done after 3.0 s\n")
    with pytest.raises(UserError, match="does not begin with a time"):
        logged_seconds.start(log)


def test_a_stage_without_a_log_has_no_seconds(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.log: holds no finished run; run the whole DAG"):
        logged_seconds.read(tmp_path / "none.log")


def test_the_log_of_a_stage_that_did_not_run_is_empty(tmp_path: Path) -> None:
    log = tmp_path / "skipped.log"
    assert not logged_seconds.is_empty(log)
    log.touch()
    assert logged_seconds.is_empty(log)
    log.write_text(f"{PREFIX}{logged_seconds.line(3, finished=True)}\n")
    assert not logged_seconds.is_empty(log)

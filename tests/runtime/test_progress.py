"""A bar for a terminal, plain lines for a log; the numbers are right in both."""

import io
import logging
import sys

import pytest

from hw2.runtime.errors import UserError
from hw2.runtime.progress import ConsoleHandler, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_shows_progress_in_plain_lines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HW2_LOG_SECONDS", "0")
    with caplog.at_level(logging.INFO), progress(4, "train", start=2) as shown:
        shown.update(loss=0.5)
        shown.update(lr=1e-4)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0].startswith("train: step 3/4 (")
    assert lines[0].endswith("left) loss 0.5")
    assert "train: step 4/4" in lines[1]
    assert lines[1].endswith("loss 0.5, lr 0.0001")
    assert "took" in lines[-1]
    assert not any(hasattr(record, "file_only") for record in caplog.records)


def test_a_fast_loop_logs_its_end_only(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), progress(1000, "sample", unit="image") as shown:
        for _ in range(1000):
            shown.update()
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("sample: image 1000/1000")


def test_on_a_terminal_plain_lines_go_to_the_log_file_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("HW2_LOG_SECONDS", "0")
    console = ConsoleHandler()
    logging.getLogger("hw2").addHandler(console)
    try:
        with caplog.at_level(logging.INFO), progress(2, "train") as shown:
            shown.update(loss=0.25)
            logging.getLogger("hw2.stages").info("a note")
            shown.update(loss=0.125)
    finally:
        logging.getLogger("hw2").removeHandler(console)
    text = terminal.getvalue()
    assert "100%" in text
    assert "loss 0.125" in text
    assert "\na note\n" in text.replace("\r", "\n")
    assert "train: step" not in text
    assert "train: step 2/2" in caplog.text


def test_an_interrupted_progress_bar_is_cleared(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with (
        caplog.at_level(logging.INFO),
        pytest.raises(KeyboardInterrupt),
        progress(9, "train") as shown,
    ):
        shown.update()
        raise KeyboardInterrupt
    text = terminal.getvalue()
    assert text.endswith("\r")
    assert text.rsplit("\r", 2)[1].strip() == ""
    assert "stopped after" in caplog.text


def test_due_is_true_when_values_will_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with progress(3, "train") as shown:
        assert not shown.due
        shown.update(2)
        assert shown.due  # the last step always
    monkeypatch.setenv("HW2_LOG_SECONDS", "0")
    with progress(3, "train") as shown:
        assert shown.due
    monkeypatch.setenv("HW2_LOG_SECONDS", "soon")
    with pytest.raises(UserError, match="HW2_LOG_SECONDS: 'soon'"), progress(3, "train"):
        pass

"""Progress of a loop: a bar for a person, plain lines for a log file.

On a terminal a bar with the time left and the latest numbers; elsewhere, and always in the
stage's log file, a line every few seconds: `train: step 200/2000 (24.1/s, 1:15 left) loss 0.031`.
"""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from hw2.runtime.errors import UserError

LOG_SECONDS = 5.0
BAR_SECONDS = 0.1
FILE_ONLY = {"file_only": True}
"""`extra=` of log records that are for the log file and not for the terminal."""

log = logging.getLogger(__name__)


class ConsoleHandler(logging.Handler):
    """Writes log lines to stderr above a running bar, and leaves out records marked FILE_ONLY."""

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "file_only", False):
            tqdm.write(self.format(record), file=sys.stderr)


class Progress:
    """The state of one loop; made by `progress`."""

    def __init__(self, total: int, desc: str, start: int, unit: str) -> None:
        self.total, self.desc, self.unit = total, desc, unit
        self.start = self.step = start
        self._stats: dict[str, float] = {}
        self._every = _log_seconds()
        self._began = self._logged = self._shown = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=total,
            initial=start,
            desc=desc,
            unit=unit,
            disable=not self._terminal,
            dynamic_ncols=True,
            mininterval=BAR_SECONDS,
        )

    @property
    def due(self) -> bool:
        """Whether the next update shows its numbers: ask before waiting for a device's loss."""
        now = time.monotonic()
        bar = self._terminal and now - self._shown >= BAR_SECONDS
        return bar or now - self._logged >= self._every or self.step + 1 >= self.total

    def update(self, n: int = 1, **stats: float) -> None:
        """Count `n` more steps; `stats` replace the numbers of the same name shown so far."""
        self.step += n
        self._stats.update(stats)
        now = time.monotonic()
        if self._terminal and now - self._shown >= BAR_SECONDS:
            self._shown = now
            self._bar.set_postfix_str(self._numbers(), refresh=False)
        self._bar.update(n)
        if now - self._logged >= self._every:
            self._logged = now
            self._say(self.line())

    def line(self) -> str:
        """The present state as one line of plain text."""
        seconds = time.monotonic() - self._began
        rate = (self.step - self.start) / seconds if seconds > 0 else 0.0
        left = tqdm.format_interval((self.total - self.step) / rate) if rate > 0 else "?"
        pace = f"({rate:.3g}/s, {left} left)"
        return (
            f"{self.desc}: {self.unit} {self.step}/{self.total} {pace} {self._numbers()}".rstrip()
        )

    def close(self, finished: bool) -> None:
        """End the bar: its last state stays when finished, and the line is cleared otherwise."""
        self._bar.leave = finished
        self._bar.set_postfix_str(self._numbers(), refresh=False)
        self._bar.close()
        took = tqdm.format_interval(time.monotonic() - self._began)
        self._say(f"{self.line()}; {'took' if finished else 'stopped after'} {took}")

    def _numbers(self) -> str:
        return ", ".join(f"{name} {value:.4g}" for name, value in self._stats.items())

    def _say(self, line: str) -> None:
        log.info("%s", line, extra=FILE_ONLY if self._terminal else None)


@contextmanager
def progress(total: int, desc: str, start: int = 0, unit: str = "step") -> Iterator[Progress]:
    """Show the progress of `total` steps, of which `start` were done in an earlier run.

    HW2_LOG_SECONDS sets the seconds between plain lines (default 5).
    """
    shown = Progress(total, desc, start, unit)
    finished = False
    try:
        yield shown
        finished = True
    finally:
        shown.close(finished)


def _log_seconds() -> float:
    text = os.environ.get("HW2_LOG_SECONDS", "")
    try:
        return float(text) if text else LOG_SECONDS
    except ValueError:
        raise UserError(f"HW2_LOG_SECONDS: {text!r} is no number of seconds; write 5") from None

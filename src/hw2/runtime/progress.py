"""Progress of a loop: a bar for a person, plain lines for a log file.

On a terminal a bar with the time left and the latest numbers; elsewhere, and always in the
stage's log file, a line every few seconds: `train: step 200/2000 (24.1/s, 1:15 left) loss 0.031`.
Loops that run side by side in threads share one bar (`joint`).
"""

import logging
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from hw2.runtime import ranks
from hw2.runtime.errors import UserError

LOG_SECONDS = 5.0
BAR_SECONDS = 0.1
FILE_ONLY = {"file_only": True}
"""`extra=` of log records that are for the log file and not for the terminal."""

log = logging.getLogger(__name__)
_whole: "Progress | None" = None  # that of `joint`


class ConsoleHandler(logging.Handler):
    """Writes log lines to stderr above a running bar, and leaves out records marked FILE_ONLY."""

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "file_only", False):
            tqdm.write(self.format(record), file=sys.stderr)


class Progress:
    """The state of one loop; made by `progress`.

    As part of a joint progress it shows nothing until it ends, and its steps count there.
    """

    def __init__(
        self, total: int, desc: str, start: int, unit: str, whole: "Progress | None" = None
    ) -> None:
        self.total, self.desc, self.unit = total, desc, unit
        self.start = self.step = start
        self._stats: dict[str, float] = {}
        self._every = _log_seconds() if whole is None else math.inf
        self._began = self._logged = self._shown = time.monotonic()
        self._terminal = sys.stderr.isatty() and whole is None and ranks.is_first()
        self._lock = threading.Lock()
        self._whole = whole
        if whole is not None:
            whole.skip(start)
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
        with self._lock:
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
        if self._whole is not None:
            self._whole.update(n)

    def skip(self, n: int) -> None:
        """Count `n` steps that an earlier run did, which the pace leaves out."""
        with self._lock:
            self.start += n
            self.step += n
            self._bar.initial, self._bar.n = self.start, self.step

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
    is_part = threading.current_thread() is not threading.main_thread()
    with _shown(Progress(total, desc, start, unit, _whole if is_part else None)) as bar:
        yield bar


@contextmanager
def joint(total: int, desc: str, unit: str = "step") -> Iterator[Progress]:
    """Show the progress of all loops that other threads run meanwhile, `total` steps together.

    Each of these loops still writes a line when it ends.
    """
    global _whole
    with _shown(Progress(total, desc, 0, unit)) as bar:
        _whole = bar
        try:
            yield bar
        finally:
            _whole = None


@contextmanager
def _shown(bar: Progress) -> Iterator[Progress]:
    finished = False
    try:
        yield bar
        finished = True
    finally:
        bar.close(finished)


def _log_seconds() -> float:
    text = os.environ.get("HW2_LOG_SECONDS", "")
    try:
        return float(text) if text else LOG_SECONDS
    except ValueError:
        raise UserError(f"HW2_LOG_SECONDS: {text!r} is no number of seconds; write 5") from None

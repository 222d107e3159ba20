"""How long a stage took, as its log says: the last line of each run has its seconds."""

import re
from datetime import datetime
from pathlib import Path

from hw2.runtime.errors import UserError

_STAMP = "%Y-%m-%d %H:%M:%S,%f"  # of each line
_LINE = re.compile(r"(done|ended) after ([\d.]+) s$", re.MULTILINE)


def line(seconds: float, *, finished: bool) -> str:
    """The last line of a run."""
    return f"{'done' if finished else 'ended'} after {seconds:.1f} s"


def is_unfinished(log: Path) -> bool:
    """Whether the last run was interrupted or failed, so that the next one may go on from it."""
    return log.exists() and _outcomes(log)[-1:] != ["done"]


def is_empty(log: Path) -> bool:
    """Whether the log was made for a stage that then did not have to run."""
    return log.exists() and not log.stat().st_size


def read(log: Path) -> float:
    """Seconds of the stage: those of the run that finished it and of the interrupted ones before.

    Raises:
        UserError: if the log holds no finished run.
    """
    if not log.exists() or is_unfinished(log):
        raise UserError(f"{log}: holds no finished run; run the whole DAG first")
    return sum(float(seconds) for _, seconds in _LINE.findall(_text(log)))


def start(log: Path) -> float:
    """When the stage started, in seconds since 1970: the time of the first line.

    Raises:
        UserError: if the log does not begin with a time.
    """
    stamp = " ".join(_text(log).split(" ", 2)[:2])
    try:
        return datetime.strptime(stamp, _STAMP).timestamp()
    except ValueError:
        raise UserError(f"{log}: does not begin with a time; run the stage again") from None


def _outcomes(log: Path) -> list[str]:
    return [outcome for outcome, _ in _LINE.findall(_text(log))]


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")

"""Whether a recorded process still runs: its id alone is not enough, because ids are given again.

After a restart of a container, for instance, the id of a killed run is that of another program.
"""

import os
import time
from pathlib import Path

_PROC = Path("/proc")
_STATE, _START = 0, 19  # fields of /proc/PID/stat, counted after the command in parentheses


def start_stamp(pid: int) -> str | None:
    """Text that tells process `pid` from earlier and later processes of the same id.

    It is the start time in clock ticks since boot, with the boot's id, so that setting the clock
    does not change it. Returns None if no such process runs (one that ended but was not waited for
    does not run), and "" where the system does not tell, outside Linux.
    """
    if not (_PROC / "self/stat").exists():
        return "" if _exists(pid) else None
    fields = _stat_fields(pid)
    if fields is None or fields[_STATE] in ("Z", "X"):
        return None
    return f"{fields[_START]}-{_boot_id()}"


def still_runs(pid: int, stamp: str) -> bool:
    """Whether process `pid` still is the one that had `stamp`; without a stamp, whether it runs."""
    current = start_stamp(pid)
    return current is not None and (not current or not stamp or current == stamp)


def start_time(pid: int) -> float | None:
    """When process `pid` started, in seconds since 1970; None if it is gone or cannot be told."""
    fields = _stat_fields(pid)
    if fields is None:
        return None
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[_START]) / os.sysconf("SC_CLK_TCK")
    return time.time() - age


def arguments(pid: int) -> list[str]:
    """The command line of process `pid`; empty if it is gone or cannot be told."""
    try:
        text = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return [os.fsdecode(word) for word in text.split(b"\0")]


def _stat_fields(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _boot_id() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return "unknown"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

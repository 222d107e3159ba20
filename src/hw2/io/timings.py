"""The recorded run: seconds and start of every stage by profile, in workflow/timings.json.

Each profile also has `probe_seconds`, the time of a fixed computation on the machine of that run,
from which `hw2 plan` scales to another machine.
"""

from pathlib import Path
from typing import Any

from hw2.io import files

FILE = Path("workflow/timings.json")


def read() -> dict[str, dict[str, Any]]:
    """Profile -> `probe_seconds`, `stages` and `starts`; empty if nothing was recorded."""
    return dict(files.read_json(FILE)) if FILE.exists() else {}


def write(
    profile: str, probe_seconds: float, stages: dict[str, float], starts: dict[str, float]
) -> None:
    """Replace the record of a profile; starts are in seconds since the first one."""
    entry = {"probe_seconds": probe_seconds, "stages": stages, "starts": starts}
    files.write_json(FILE, {**read(), profile: entry})


def seconds(profile: str) -> dict[str, float]:
    """Seconds by stage; empty if no run of the profile was recorded."""
    return dict(read().get(profile, {}).get("stages", {}))


def starts(profile: str) -> dict[str, float]:
    """When each stage started, in seconds since the first one; empty if that was not recorded."""
    return dict(read().get(profile, {}).get("starts", {}))

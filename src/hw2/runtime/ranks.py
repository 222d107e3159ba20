"""The processes that run one stage together, as torchrun's variables tell each of them.

Without torchrun a process is the first of one.
"""

import os


def count() -> int:
    """The number of processes on all machines."""
    return _variable("WORLD_SIZE", 1)


def own() -> int:
    """The number of this process among all, from 0; the first one writes, logs and reports."""
    return _variable("RANK", 0)


def is_first() -> bool:
    """Whether this process writes: resume files, outputs, the log and the progress."""
    return own() == 0


def count_here() -> int:
    """The number of processes on this machine, which share its cores and GPUs."""
    return _variable("LOCAL_WORLD_SIZE", 1)


def own_here() -> int:
    """The number of this process among those on this machine, from 0."""
    return _variable("LOCAL_RANK", 0)


def go_on_alone() -> None:
    """Be the only process from now on, because the others have ended."""
    os.environ |= {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_WORLD_SIZE": "1"}


def _variable(name: str, default: int) -> int:
    return int(os.environ.get(name, default))

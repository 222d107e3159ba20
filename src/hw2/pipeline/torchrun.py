"""Starts a stage's script in several processes, as the command `torchrun` does.

They share the batches of a training (`hw2.training.processes`). A stage says in dvc.yaml, under
`meta.processes`, how many it can use: a number, or `any`.
"""

import logging
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from hw2.config import params
from hw2.runtime import ranks
from hw2.runtime.errors import UserError

_SECONDS_TO_STOP = 600  # for the last step and its save; a signal that is repeated waits no longer
log = logging.getLogger(__name__)


def count(stage: str, stage_entry: dict[str, Any], runtime: params.Runtime) -> int:
    """The number of processes to start for a stage: 1 for none beside this one.

    Args:
        stage: Name of the stage.
        stage_entry: Its entry in dvc.yaml.
        runtime: Section `runtime`; HW2_PROCESSES goes before its number of processes.

    Raises:
        UserError: if torchrun started this process for a stage that cannot use several.
    """
    usable = (stage_entry.get("meta") or {}).get("processes", 1)
    if ranks.count() > 1:
        if usable == 1:
            raise UserError(f"stage {stage} uses one process; start its script without torchrun")
        return 1
    wanted = _wanted(runtime)
    return wanted if usable == "any" else min(wanted, int(usable))


def run(script: Path, processes: int) -> int:
    """Run a script in several processes on this machine until all have ended.

    A signal goes to all of them. When one fails, the others are stopped.

    Returns:
        The exit code of the process that failed first, or 0.
    """
    from torch.distributed import run as torchrun  # here, because torch takes seconds
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a stage sets its threads; this spares a warning
    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)  # the processes report
    python = [sys.executable, *(["-P"] if sys.flags.safe_path else [])]
    log.info("in %d processes", processes)
    with tempfile.TemporaryDirectory(prefix="hw2-") as folder:
        options = {
            "nproc-per-node": processes,
            "shutdown-timeout": _SECONDS_TO_STOP,
            "log-dir": folder,
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        try:
            torchrun.run(
                torchrun.parse_args(["--standalone", *words, "--no-python", *python, str(script)])
            )
        except SignalException as stop:
            return 128 + stop.sigval
        except ChildFailedError as error:
            rank, failure = error.get_first_failure()
            if failure.exitcode > 0:
                return failure.exitcode
            log.error(
                "process %d of %d was ended by %s; run the same command to continue from the last"
                " save",
                rank,
                processes,
                signal.Signals(-failure.exitcode).name,
            )
            return 1
    return 0


def _wanted(runtime: params.Runtime) -> int:
    override = os.environ.get("HW2_PROCESSES", "")
    if not override:
        return runtime.processes
    if not override.isdecimal() or int(override) == 0:
        raise UserError(f"HW2_PROCESSES: {override!r} is no count; write 1 or more")
    return int(override)

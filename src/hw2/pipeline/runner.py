"""Runs a stage: `runner.run(main)` at the end of workflow/scripts/<stage>.py.

It goes to the repository's root, reads the parameters that the stage declares, logs to stderr
and logs/<stage>.log, and turns every way to end into one line and an exit code: 0 done,
1 a fault of ours, 2 something the user can put right, 130 / 143 interrupted.
"""

import logging
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from hw2.config import params, paths
from hw2.pipeline import declared_params
from hw2.runtime import device, parent_process
from hw2.runtime.errors import Interrupted, UserError
from hw2.runtime.progress import FILE_ONLY, ConsoleHandler

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What a stage works with.

    Attributes:
        stage: The script's name, as in dvc.yaml.
        args: The item of a matrix stage, from the command line; empty for others.
        params: The parameters that the stage declares in dvc.yaml, and `runtime`.
        paths: The artefacts, relative to the repository's root (the working folder).
    """

    stage: str
    args: tuple[str, ...]
    params: params.Params
    paths: paths.Paths

    @property
    def name(self) -> str:
        """DVC's name of the stage, `stage@item` for a matrix; safe as a file name."""
        return _name(self.stage, self.args)

    @property
    def checkpoints(self) -> Path:
        """The folder of this stage's resume files: other code never goes on from them."""
        return self.paths.checkpoints / f"{self.name}-{_fingerprint(self.paths, self.stage)[:8]}"

    @cached_property
    def device(self) -> "torch.device":
        """Where to compute; torch is imported, and its threads are set, on first use."""
        threads = device.use_threads(self.params.runtime.threads)
        chosen = device.choose(self.params.runtime.device)
        log.info("on %s, %d CPU thread(s)", chosen, threads)
        return chosen


def run(main: Callable[[Job], None]) -> None:
    """Do the stage of the running script; leaves with SystemExit unless all went well."""
    script = Path(sys.argv[0]).resolve()
    stage, args = script.stem, tuple(sys.argv[1:])
    before = time.monotonic()
    signal.signal(signal.SIGTERM, _leave)  # outside a training loop: clean up and go
    parent_process.end_with_it()
    console = _log_to_stderr(stage)
    try:
        code = _attempt(main, script, stage, args)
        log.info("%s after %.1f s", "done" if code == 0 else "ended", time.monotonic() - before)
    finally:
        logging.getLogger().removeHandler(console)
        logging.shutdown()
    if code:
        raise SystemExit(code)


def _attempt(main: Callable[[Job], None], script: Path, stage: str, args: tuple[str, ...]) -> int:
    """Run `main` and say in one line what went wrong; returns the exit code."""
    log_file = "the log"
    try:
        os.chdir(_root(script))
        where = paths.load()
        log_file = _log_to_file(where.logs / f"{_name(stage, args)}.log")
        allowed = declared_params.keys(stage)
        main(Job(stage, args, declared_params.view(params.load(), stage, allowed), where))
    except UserError as error:
        log.error("%s", error)
        return 2
    except Interrupted as stop:
        log.error("%s", stop)
        return stop.exit_code
    except KeyboardInterrupt:
        log.error("interrupted; run the same command to start this stage again")
        return 128 + signal.SIGINT
    except Exception as error:
        said = " ".join(str(error).split()) or "no message"
        log.error("%s: %s; full traceback in %s", type(error).__name__, said, log_file)
        extra = None if os.environ.get("HW2_DEBUG") == "1" else FILE_ONLY
        log.error("traceback", exc_info=True, extra=extra)
        return 1
    return 0


def _leave(signum: int, frame: FrameType | None) -> None:
    """End as a killed process would, but through every `finally`, so no half file stays."""
    raise SystemExit(128 + signum)


def _fingerprint(where: paths.Paths, stage: str) -> str:
    """What stage `code` wrote for this script; "unknown" in a run before that."""
    record = where.code / stage
    return record.read_text(encoding="utf-8").strip() if record.is_file() else "unknown"


def _name(stage: str, args: tuple[str, ...]) -> str:
    safe = (re.sub(r"[^\w.=+-]+", "_", arg) for arg in args)
    return "@".join([stage, *(["-".join(safe)] if args else [])])


def _root(script: Path) -> Path:
    """The nearest folder above the script that holds dvc.yaml."""
    for folder in script.parents:
        if (folder / declared_params.DVC_FILE).is_file():
            return folder
    raise UserError(f"{script}: no {declared_params.DVC_FILE} above it; keep it in the repository")


def _log_to_stderr(stage: str) -> logging.Handler:
    """Our information and everyone's warnings, each line with the stage's name."""
    handler = ConsoleHandler()
    handler.setFormatter(logging.Formatter(f"hw2 {stage}: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger("hw2").setLevel(logging.INFO)
    logging.captureWarnings(True)
    return handler


def _log_to_file(path: Path) -> str:
    """Start the stage's log file afresh; returns its name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); correct that") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    log.info("%s", " ".join(sys.argv), extra=FILE_ONLY)
    return str(path)

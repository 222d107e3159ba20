"""Runs a stage: `runner.run(stage.run)` at the end of workflow/scripts/<stage>.py.

The runner changes to the repository's root, binds the stage's function to the parameters and paths
that dvc.yaml declares, logs to stderr and to logs/<stage>.log, and ends in one line and an exit
code: 0 success, 1 internal error, 2 an error that the user can correct, 130 or 143 interrupted.

With `runtime.processes` it runs the script again in several processes, of which the first one logs
and writes.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from hw2.config import params, paths
from hw2.pipeline import (
    binding,
    declared,
    disk,
    lock_backup,
    logged_seconds,
    provenance,
    torchrun,
    unrecorded,
)
from hw2.runtime import device, parent_process, ranks, removal
from hw2.runtime.errors import Interrupted, LostProcess, UserError
from hw2.runtime.progress import FILE_ONLY, ConsoleHandler

# A notebook's backend does not exist outside it, and matplotlib would fail to be imported.
os.environ["MPLBACKEND"] = "agg"
log = logging.getLogger(__name__)

Stage = Callable[..., object]
_SECONDS_TO_GIVE_WAY = 3.0
_SMALLER = (
    "lower the stage's batch size in params.yaml, end other programs, or compute on another"
    " device (HW2_DEVICE=cpu)"
)


def run(function: Stage) -> None:
    """Run the stage of the current script; raises SystemExit unless it succeeds."""
    script = Path(sys.argv[0]).resolve()
    stage = script.stem
    start = time.monotonic()
    signal.signal(signal.SIGTERM, _exit_cleanly)  # training loops install their own handler
    parent_process.exit_with_parent()
    console = _log_to_stderr(stage)
    try:
        code = _attempt(function, script, stage)
        log.info("%s", logged_seconds.line(time.monotonic() - start, finished=code == 0))
    finally:
        logging.getLogger().removeHandler(console)
        logging.shutdown()
    if code:
        raise SystemExit(code)


def _attempt(function: Stage, script: Path, stage: str) -> int:
    """Call the stage's function and report an error in one line; returns the exit code."""
    log_file = "the log"
    inputs: dict[str, Any] = {}
    try:
        os.chdir(_root(script))
        all_paths = paths.load()
        if ranks.count() == 1:  # of several, the others would wait for one that has ended
            _end_if_finished(stage)
        if ranks.is_first():
            log_file = _log_to_file(all_paths.logs / f"{stage}.log")
        entry = declared.entry(stage)
        declaration = declared.of_entry(stage, entry)
        stage_params = declared.restrict_params(params.load(), declaration)
        if (processes := torchrun.count(stage, entry, stage_params.runtime)) > 1:
            raise SystemExit(torchrun.run(script, processes))
        if ranks.is_first():
            disk.check_writable(declared.files(entry, all_paths, declared.OUTPUTS))
            lock_backup.keep()
            lock_backup.forget(stage)
            inputs = unrecorded.inputs(entry, stage_params.model_dump())
        with removal.deferred():  # a kill in between must not cost outputs and resume files both
            function(**_arguments(function, declaration, stage_params, all_paths))
            unrecorded.keep(stage, inputs)
        lock_backup.finished(stage, entry, stage_params.model_dump())
        log.info("parameters read: %s", ", ".join(sorted(stage_params.reads)), extra=FILE_ONLY)
    except UserError as error:
        _give_way(error)
        log.error("%s", error)
        return 2
    except Interrupted as stop:
        if ranks.is_first():
            log.error("%s", stop)
        return stop.exit_code
    except KeyboardInterrupt:
        if ranks.is_first():
            log.error("interrupted; run the same command to start this stage again")
        return 128 + signal.SIGINT
    except Exception as error:
        return _report(error, log_file)
    return 0


def _end_if_finished(stage: str) -> None:
    """End a stage that finished before and was not recorded; its log stays that of the real run."""
    unrecorded.drop_recorded()
    if unrecorded.restore(stage):
        log.info("finished before, but DVC was stopped before it recorded that; outputs restored")
        raise SystemExit(0)


def _report(error: Exception, log_file: str) -> int:
    """Say in one line what failed, with the traceback in the log; returns the exit code."""
    _give_way(error)
    message = " ".join(str(error).split()) or "no message"
    if disk.refused(error):
        code, line = 2, f"a file could not be written or read ({message}); {disk.REMEDY}"
    elif isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        code, line = 2, f"out of memory ({message}); {_SMALLER}"
    else:
        code, line = 1, f"{type(error).__name__}: {message}; full traceback in {log_file}"
    log.error("%s", line)
    shown = os.environ.get("HW2_DEBUG") == "1" or not ranks.is_first()
    extra = None if shown else FILE_ONLY
    log.error("traceback", exc_info=error, extra=extra)
    return code


def _give_way(error: Exception) -> None:
    """Let the process that knows the cause report an error that several of them have.

    torchrun stops the others meanwhile. What only this process knows is reported afterwards.
    """
    if isinstance(error, LostProcess) or not ranks.is_first():
        time.sleep(_SECONDS_TO_GIVE_WAY)


def _arguments(
    function: Stage,
    declaration: declared.Declaration,
    stage_params: declared.DeclaredParams,
    all_paths: paths.Paths,
) -> dict[str, Any]:
    stage_paths = declared.restrict_paths(all_paths, declaration)

    def context(name: str) -> Any:
        match name:
            case "checkpoints":
                return checkpoint_folder(all_paths, declaration.stage)
            case "device":
                return _device(stage_params.runtime)
            case "provenance":
                return provenance.collect()
            case _:
                return stage_paths

    return binding.arguments(function, declaration, stage_params, stage_paths, context)


def checkpoint_folder(all_paths: paths.Paths, stage: str) -> Path:
    """The folder of a stage's resume files.

    Its name holds the fingerprint that stage `code` wrote, so that changed code never continues
    from the resume files of other code.
    """
    record = all_paths.code / stage
    text = record.read_text(encoding="utf-8").strip() if record.is_file() else "unknown"
    return all_paths.checkpoints / f"{stage}-{text[:8]}"


def _device(runtime: params.Runtime) -> Any:
    """The torch device; importing torch takes seconds, so only stages that ask for it pay."""
    chosen = device.prepare(runtime.device, runtime.threads)
    import torch

    log.info("on %s, %d CPU thread(s)", chosen, torch.get_num_threads())
    return chosen


def _exit_cleanly(signum: int, frame: FrameType | None) -> None:
    """Exit through every `finally`, so that no half-written file stays."""
    raise SystemExit(128 + signum)


def _root(script: Path) -> Path:
    """The nearest folder above the script that holds dvc.yaml."""
    for folder in script.parents:
        if (folder / declared.DVC_FILE).is_file():
            return folder
    raise UserError(f"{script}: no {declared.DVC_FILE} above it; keep it in the repository")


def _log_to_stderr(stage: str) -> logging.Handler:
    """Show hw2's information and everyone's warnings, each line with the stage's name."""
    handler = ConsoleHandler()
    process = ""
    if not ranks.is_first():
        handler.setLevel(logging.ERROR)
        process = f" (process {ranks.own()})"
    handler.setFormatter(logging.Formatter(f"hw2 {stage}{process}: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger("hw2").setLevel(logging.INFO)
    logging.captureWarnings(True)
    return handler


def _log_to_file(path: Path) -> str:
    """Log to the file of the stage; returns its name.

    The file starts anew, except after a run that did not finish: this run may go on from there, and
    `hw2 plan --record` adds up the seconds of both.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not logged_seconds.is_unfinished(path):
            path.write_bytes(b"")
        # Appends, because the runner and the first of several processes share the file.
        handler = logging.FileHandler(path, mode="a", encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); correct its permissions"
        ) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    log.info("%s", " ".join(sys.argv), extra=FILE_ONLY)
    return str(path)

"""The command line `hw2`: configure the pipeline, and use its trained models.

Each module of this package defines one group of commands. Commands import what computes only when
they run, so that help and errors appear at once.
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from hw2.cli import (
    clip,
    configuration,
    data,
    digits,
    faces,
    grids,
    installation,
    integrity,
    models,
    results,
)
from hw2.cli.command_list import CommandList
from hw2.cli.parser import Parser
from hw2.cli.version import ShowVersion
from hw2.config import paths
from hw2.runtime.errors import UserError
from hw2.runtime.progress import ConsoleHandler


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; the help of `hw2` lists them."""
    os.environ["MPLBACKEND"] = "agg"  # a notebook's backend does not exist outside it
    options = _parser().parse_args(arguments)
    options.working_folder = Path.cwd()
    handler = ConsoleHandler()
    logging.getLogger().addHandler(handler)
    logging.getLogger("hw2").setLevel(logging.INFO)
    before = signal.signal(signal.SIGTERM, _exit_cleanly)
    try:
        os.chdir(_repository())
        code = options.function(options) or 0
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return 128 + signal.SIGPIPE
    except UserError as error:
        print(f"hw2 {options.command}: {error}", file=sys.stderr)
        return 2
    except ImportError as error:  # commands import heavy packages themselves
        print(f"hw2 {options.command}: {error}; `hw2 doctor` checks the packages", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        signal.signal(signal.SIGTERM, before)
        logging.getLogger().removeHandler(handler)


def _exit_cleanly(signum: int, frame: FrameType | None) -> None:
    """Exit through every `finally`, so that no half-written folder stays."""
    raise SystemExit(128 + signum)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="hw2",
        description="Configure the pipeline, and use its trained models.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=ShowVersion, help="show the versions and exit")
    commands = CommandList(parser)
    groups = (
        installation,
        configuration,
        results,
        grids,
        integrity,
        data,
        digits,
        faces,
        clip,
        models,
    )
    for module in groups:
        module.add_commands(commands)
    commands.finish()
    return parser


def _repository() -> Path:
    """The repository: the working directory, or the nearest one above it, with a dvc.yaml."""
    directory = Path.cwd()
    for folder in (directory, *directory.parents):
        if (folder / "dvc.yaml").is_file() and (folder / paths.FILE).is_file():
            return folder
    raise UserError(f"{directory}: not inside a clone of hw2; change to its directory")

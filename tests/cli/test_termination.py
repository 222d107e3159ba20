"""A command that is asked to end leaves nothing half-written."""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hw2 import cli
from hw2.cli import configuration
from hw2.io.atomic import atomic_dir


def test_found_27_sigterm_removes_the_unfinished_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(options: argparse.Namespace) -> None:
        with atomic_dir(tmp_path / "out") as folder:
            (folder / "0_001.png").touch()
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)

    monkeypatch.chdir(Path(__file__).parents[2])
    monkeypatch.setattr(configuration, "_plan", command)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught:
        cli.main(["plan"])
    assert caught.value.code == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_reader_that_has_enough_ends_the_command_quietly() -> None:
    root = Path(__file__).parents[2]
    command = subprocess.Popen(
        [sys.executable, "-m", "hw2.cli", "dag"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root,
        env=os.environ | {"PYTHONPATH": str(root / "src")},
    )  # fmt: skip
    assert command.stdout is not None
    assert command.stderr is not None
    command.stdout.close()  # before the command writes, as `head -0` does
    assert command.stderr.read() == b""
    assert command.wait() == 128 + signal.SIGPIPE

"""A command that is asked to end leaves nothing half-written."""

import argparse
import os
import signal
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

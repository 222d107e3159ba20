"""A process is told by its id and its start."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hw2.runtime import process


def test_a_process_is_known_by_its_stamp_until_it_ends() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()", "word"], stdin=subprocess.PIPE)
    stamp = process.start_stamp(child.pid)
    assert stamp is not None
    assert process.still_runs(child.pid, stamp)
    assert process.still_runs(child.pid, "")
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it ended, nobody waited for it
    assert not process.still_runs(child.pid, stamp)
    child.wait()
    assert process.start_stamp(child.pid) is None
    assert process.start_time(child.pid) is None
    assert process.arguments(child.pid) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the start is told by Linux only")
def test_another_process_of_the_same_id_has_another_stamp() -> None:
    assert not process.still_runs(os.getpid(), "1-00000000")
    assert process.start_stamp(os.getpid()) != process.start_stamp(os.getppid())
    assert abs(time.time() - (process.start_time(os.getpid()) or 0)) < 3600 * 24
    child = subprocess.Popen([sys.executable, "-c", "input()", "word"], stdin=subprocess.PIPE)
    assert abs((process.start_time(child.pid) or 0) - time.time()) < 5
    assert process.start_time(child.pid) is not None
    child.send_signal(signal.SIGKILL)
    child.wait()

"""Ending with the process that started us, so that no stage outlives its runner."""

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def exit_with_parent(signum: int = signal.SIGTERM) -> None:
    """Ask Linux to send us `signum` when our parent dies, however it dies; elsewhere do nothing.

    The parent may be dead already: compare `os.getppid()` with what it was expected to be.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)

"""Stop a training loop between two steps, never inside one or inside a save.

    with StopFlag() as stop:
        for step in ...:
            ...
            stop.raise_if_stopped(step, save)

SIGINT, SIGTERM and the death of the process that started us all ask for the same: finish the
step, save, leave. Signals that come during the save change nothing. Python delivers signals to the
main thread alone, so loops in other threads follow the flag that the main thread has entered.
Loops in several processes must agree, because each of them waits for the others at every step.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, ClassVar

from hw2.runtime.errors import Interrupted

log = logging.getLogger(__name__)


class StopFlag:
    """Context manager that collects requests to stop; `signum` is the first one, or None.

    Args:
        agreed: What all processes make of the `signum` that each of them passes at every step.
    """

    _of_main_thread: ClassVar["StopFlag | None"] = None

    def __init__(self, agreed: Callable[[int | None], int | None] = lambda own: own) -> None:
        self.signum: int | None = None
        self._agreed = agreed
        self._parent = os.getppid()
        self._before: dict[int, Any] = {}
        self._followed: StopFlag | None = None

    def __enter__(self) -> "StopFlag":
        self._followed = StopFlag._of_main_thread
        if threading.current_thread() is threading.main_thread():  # only it may set handlers
            StopFlag._of_main_thread = self
            for signum in (signal.SIGINT, signal.SIGTERM):
                self._before[signum] = signal.signal(signum, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)
        if StopFlag._of_main_thread is self:
            StopFlag._of_main_thread = self._followed

    def _note(self, signum: int, frame: FrameType | None) -> None:
        # Nothing but the flag: the handler may run in the middle of a write to the log.
        self.signum = self.signum or signum

    @property
    def stopped(self) -> bool:
        """Whether to stop now. Costs one system call, so ask at every step."""
        if self.signum is None and self._followed is not None:
            self.signum = self._followed.signum
        if self.signum is None and os.getppid() != self._parent:
            log.warning("the process that started this one is gone; stopping")
            self.signum = signal.SIGTERM
        self.signum = self._agreed(self.signum)
        return self.signum is not None

    def raise_if_stopped(self, step: int, save: Callable[[], object]) -> None:
        """After `step` steps: if a signal arrived, call `save()` and raise Interrupted."""
        if self.stopped:
            assert self.signum is not None
            log.info("%s: saving at step %d", signal.Signals(self.signum).name, step)
            save()
            raise Interrupted(step, self.signum)

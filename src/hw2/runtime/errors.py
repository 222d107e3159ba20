"""The exceptions that a stage reports as one line and an exit code."""

import signal


class UserError(Exception):
    """Something that the user can correct.

    The text is one line that says what is wrong, where (a file or a dotted key) and what to do;
    `hw2.pipeline.runner` prints it without a traceback and exits with code 2.
    """


class LostProcess(UserError):
    """Another process of the same training ended, which the process that started both reports."""


class Interrupted(Exception):
    """A signal interrupted a training loop, and its state is saved.

    Args:
        step: Steps done and saved.
        signum: The signal, SIGINT or SIGTERM.
    """

    def __init__(self, step: int, signum: int) -> None:
        self.step = step
        self.signum = signum
        super().__init__(
            f"interrupted at step {step}, saved; run the same command to continue"
            f" ({signal.Signals(signum).name})"
        )

    @property
    def exit_code(self) -> int:
        """What a shell reports for a process that this signal ended: 130 or 143."""
        return 128 + self.signum

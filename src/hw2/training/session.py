"""A training session: one writer, resume files, and their removal on success only."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hw2.runtime import ranks, run_lock
from hw2.training.resume import Resume


class Session:
    """The only process that trains in the checkpoint folder of a stage.

        with Session(checkpoints) as session:
            resume = session.resume(identity)
            weights, history = train(..., resume)
            (write the outputs of the stage)

    The block holds the lock of the folder. Resume files are removed when the block ends without
    an exception, so a stage that is stopped between training and output loses nothing. Of several
    processes that train together, the first one holds the lock and writes.

    Raises:
        UserError: on entry, if another process trains in the folder.
    """

    def __init__(self, checkpoints: Path) -> None:
        self.folder = checkpoints
        self._exits = ExitStack()

    def resume(self, identity: Mapping[str, Any], subfolder: str = "") -> Resume:
        """The resume files of one training; a stage of several trainings gives each a subfolder."""
        return self._exits.enter_context(Resume(self.folder / subfolder, identity))

    def __enter__(self) -> Self:
        if ranks.is_first():
            self._exits.enter_context(run_lock.hold(self.folder))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exits.__exit__(kind, error, traceback)

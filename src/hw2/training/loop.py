"""The outer training loop: progress, history, saves, clean stops and the check of the loss."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from hw2.runtime.errors import UserError
from hw2.runtime.progress import progress
from hw2.runtime.signals import StopFlag
from hw2.training.resume import Resume

RECORDS = 200  # rows of a history


class Stateful(Protocol):
    """What a resume file can hold: networks, optimizers, averages."""

    def state_dict(self) -> Any: ...

    def load_state_dict(self, state: Any) -> Any: ...


def train(
    advance: Callable[[int], dict[str, float]],
    parts: Mapping[str, Stateful],
    *,
    steps: int,
    resume: Resume,
    save_every: int,
    desc: str,
) -> list[dict[str, float]]:
    """Call `advance(step)` for step 0 ... `steps` - 1, going on from the newest resume file.

    Args:
        advance: does one step on `parts` and returns its metrics, `loss` among them. It derives
            its randomness from the step number, so that a resumed run repeats an uninterrupted one.
        parts: everything that a step changes.

    Returns:
        At most `RECORDS` rows of `step` and the numbers, each a mean since the row before.

    Raises:
        Interrupted: after a save, when the process receives a signal to stop.
        UserError: when the loss is not finite; the resume files are as they were.
    """
    history = _History(steps)
    everything = {**parts, "history": history}
    latest = resume.load_latest()
    start = 0
    if latest is not None:
        start, state = latest
        for name, part in everything.items():
            part.load_state_dict(state[name])

    def save(done: int) -> None:
        resume.save(done, {name: part.state_dict() for name, part in everything.items()})

    with StopFlag() as stop, progress(steps, desc, start) as bar:
        for step in range(start, steps):
            numbers = advance(step)
            history.add(step + 1, numbers)
            bar.update(1, **numbers)
            if (step + 1) % save_every == 0 and step + 1 < steps:
                save(step + 1)
            stop.raise_if_stopped(step + 1, lambda done=step + 1: save(done))  # type: ignore[misc]
    return history.rows


def finite(loss: float, step: int, hint: str) -> float:
    """`loss`, if it is a finite number; call it before the step is taken.

    Raises:
        UserError: with the step and `hint`, which says what to change.
    """
    if not math.isfinite(loss):
        raise UserError(
            f"the loss is {loss} at step {step + 1}; weights of the last save are kept; {hint}"
        )
    return loss


class _History:
    """Means of the numbers over every `every` steps, and over what is left at the end."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.every = math.ceil(steps / RECORDS)
        self.rows: list[dict[str, float]] = []
        self._sums: dict[str, float] = {}
        self._count = 0

    def add(self, step: int, numbers: Mapping[str, float]) -> None:
        self._count += 1
        for name, value in numbers.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        if step % self.every == 0 or step == self.steps:
            self.rows.append({"step": step, **{k: v / self._count for k, v in self._sums.items()}})
            self._sums, self._count = {}, 0

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "sums": self._sums, "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows, self._sums, self._count = state["rows"], state["sums"], state["count"]

"""The outer training loop: progress, history, saves, clean stops and the check of the loss."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, overload

import torch
from torch import Tensor

from hw2.runtime.errors import UserError
from hw2.runtime.progress import progress
from hw2.runtime.signals import StopFlag
from hw2.training import processes
from hw2.training.resume import Resume

RECORDS = 200  # rows of a history
READ_EVERY = 50  # steps between readings of the numbers of a GPU, for which the processor waits
Number = float | Tensor
Numbers = Mapping[str, Number]
"""Numbers of a step by name: floats, and scalars that may still be computed on a GPU."""


class Stateful(Protocol):
    """What a resume file can hold: networks, optimizers, averages."""

    def state_dict(self) -> Any: ...

    def load_state_dict(self, state: Any) -> Any: ...


def train(
    advance: Callable[[int], Numbers],
    parts: Mapping[str, Stateful],
    *,
    steps: int,
    resume: Resume,
    save_every: int,
    desc: str,
    hint: str = "lower the learning rate",
) -> list[dict[str, float]]:
    """Call `advance(step)` for step 0 ... `steps` - 1, going on from the newest resume file.

    Args:
        advance: does one step on `parts` and returns its metrics, `loss` among them. It derives
            its randomness from the step number, so that a resumed run repeats an uninterrupted one.
        parts: everything that a step changes.
        hint: what to change when a loss on a GPU is found not to be finite. It is found within
            `READ_EVERY` steps, and before the weights that it spoiled are saved.

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

    unread: list[tuple[int, Numbers]] = []

    def read() -> dict[str, float]:
        numbers: dict[str, float] = {}
        for step, numbers in _floats(unread):
            finite(numbers["loss"], step, hint)
            history.add(step + 1, numbers)
        unread.clear()
        return numbers

    def save(done: int) -> None:
        read()
        resume.save(done, {name: part.state_dict() for name, part in everything.items()})

    with StopFlag(processes.agreed) as stop, progress(steps, desc, start) as bar:
        for step in range(start, steps):
            unread.append((step, advance(step)))
            due = len(unread) == READ_EVERY or step + 1 == steps or not _on_gpu(unread[-1][1])
            bar.update(1, **(read() if due else {}))
            if (step + 1) % save_every == 0 and step + 1 < steps:
                save(step + 1)
            stop.raise_if_stopped(step + 1, lambda done=step + 1: save(done))  # type: ignore[misc]
    return history.rows


@overload
def finite(loss: float, step: int, hint: str) -> float: ...


@overload
def finite(loss: Tensor, step: int, hint: str) -> Number: ...


def finite(loss: Number, step: int, hint: str) -> Number:
    """`loss`, if it is a finite number; call it before the step is taken.

    A loss on a GPU is returned unread, and `train` checks it later.

    Raises:
        UserError: with the step and `hint`, which says what to change.
    """
    if isinstance(loss, Tensor) and loss.device.type != "cpu":
        return loss
    value = float(loss)
    if not math.isfinite(value):
        raise UserError(
            f"the loss is {value} at step {step + 1}; weights of the last save are kept; {hint}"
        )
    return value


def _on_gpu(numbers: Numbers) -> bool:
    return any(isinstance(n, Tensor) and n.device.type != "cpu" for n in numbers.values())


def _floats(steps: Sequence[tuple[int, Numbers]]) -> Iterator[tuple[int, dict[str, float]]]:
    """The numbers of some steps as floats, all copied from a GPU at once."""
    all_numbers = [number for _, numbers in steps for number in numbers.values()]
    tensors = [number.double() for number in all_numbers if isinstance(number, Tensor)]
    values = iter(torch.stack(tensors).tolist() if tensors else [])
    for step, numbers in steps:
        yield (
            step,
            {name: next(values) if isinstance(n, Tensor) else n for name, n in numbers.items()},
        )


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

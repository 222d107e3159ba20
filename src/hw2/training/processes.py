"""What the processes of a training share: sums of gradients, and what only one of them knows.

torchrun runs a stage in several processes (docs/cluster.md). Each draws the whole batch of a step
from the same random streams, and computes the gradient of a part of it; after the sums all of them
hold the same weights. The stream of an example is thus that of its index in the batch, whichever
process computes it. Where there is one process, these functions return what they are given.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from hw2.runtime import ranks
from hw2.runtime.errors import LostProcess, UserError

Item = TypeVar("Item")
Value = TypeVar("Value")
_LONGEST_WAIT = timedelta(hours=1)  # for a process that samples a snapshot; a lost one is noticed


class Stateful(Protocol):
    """What one process can tell the others."""

    def state_dict(self) -> Any: ...

    def load_state_dict(self, state: Any) -> Any: ...


def dealt(items: Sequence[Item]) -> list[Item]:
    """The items, in their order, that this process computes; every process has about as many.

    Raises:
        UserError: if there are fewer items than processes.
    """
    count, rank = ranks.count(), ranks.own()
    if len(items) < count:
        raise UserError(
            f"runtime.processes: {count} processes cannot share a batch of {len(items)};"
            f" set it to {len(items)} or less, or enlarge the batch"
        )
    return list(items[len(items) * rank // count : len(items) * (rank + 1) // count])


def owner(index: int) -> int:
    """The process that computes a part that cannot be divided, known by its index."""
    return index % ranks.count()


def is_own(index: int) -> bool:
    """Whether this process is the owner of a part."""
    return owner(index) == ranks.own()


def add_up(tensors: Sequence[Tensor]) -> None:
    """Replace tensors, on one device, by their sums over all processes, the same bits in all."""
    if ranks.count() == 1:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])  # one message for all of them
    with _connected():
        dist.all_reduce(flat)
    for tensor, total in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(total.view(tensor.shape))


def shared(value: Value | None, source: int = 0) -> Value:
    """The `value` of process `source` in all processes: plain values and tensors on the CPU."""
    if ranks.count() == 1:
        return value  # type: ignore[return-value]
    box = [value]
    with _connected():
        dist.broadcast_object_list(box, source, device=torch.device("cpu"))
    return box[0]  # type: ignore[return-value]


def from_first(compute: Callable[[], Value]) -> Value:
    """What the first process computes, in all processes."""
    return shared(compute() if ranks.is_first() else None)


def share_state(part: Stateful) -> None:
    """Give `part` in all processes the state that it has in the first one."""
    if ranks.count() == 1:
        return
    state = from_first(part.state_dict)
    if not ranks.is_first():
        part.load_state_dict(state)


def agreed(signum: int | None) -> int | None:
    """A signal that any of the processes received, in all of them; None if none did."""
    if ranks.count() == 1:
        return signum
    highest = torch.tensor(signum or 0)
    with _connected():
        dist.all_reduce(highest, dist.ReduceOp.MAX)
    return int(highest) or None


def end_all_but_first() -> None:
    """End here in all processes but the first one, which goes on alone and writes the outputs.

    A stage that runs in several processes calls it between its training and its outputs.
    """
    if ranks.count() == 1:
        return
    if dist.is_initialized():
        with _connected():
            dist.destroy_process_group()
    if not ranks.is_first():
        raise SystemExit(0)
    torch.set_num_threads(torch.get_num_threads() * ranks.count_here())
    ranks.go_on_alone()


@contextmanager
def _connected() -> Iterator[None]:
    """Run a block that talks to all processes: by gloo about the CPU's tensors, by nccl a GPU's.

    Raises:
        LostProcess: if another process ended.
    """
    try:
        if not dist.is_initialized():
            backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
            dist.init_process_group(backend, timeout=_LONGEST_WAIT)
        yield
    except RuntimeError as error:
        raise LostProcess(
            "another process of this training ended;"
            " run the same command to continue from the last save"
        ) from error

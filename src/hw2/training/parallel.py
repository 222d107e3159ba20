"""A parallel map: on a CPU, a thread for each item is faster than all threads in each item."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
PARTS = 4  # the threads that a few images can keep busy


class ParallelMap:
    """A pool of threads among which PyTorch's threads are divided.

    Results do not depend on how many items run at once, since each is computed on its own.

    Args:
        at_once: Items that run at the same time, at most; never more than PyTorch has threads.
        threads_each: Threads of an item; by default all of them are divided.
    """

    def __init__(self, at_once: int, threads_each: int | None = None) -> None:
        threads = torch.get_num_threads()
        workers = max(1, min(at_once, threads))
        self._pool = ThreadPoolExecutor(
            workers,
            initializer=torch.set_num_threads,
            initargs=(threads_each or max(1, threads // workers),),
        )

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        """The results of `function`, in the order of the items; the first error is raised."""
        return self._pool.map(function, items)

    def run(self, tasks: Iterable[Callable[[], Result]]) -> list[Result]:
        """The results of different functions without arguments, in their order."""
        return list(self(lambda task: task(), tasks))


def map_batches(
    function: Callable[[Item], Result], batches: Sequence[Item], device: torch.device
) -> Iterator[Result]:
    """The results of `function` in the order of the batches.

    On a CPU one thread computes a batch, however many there are, so that the order of additions,
    and with it the bits of the result, is that of the batch alone. On a GPU one batch at a time.
    """
    on_cpu = device.type == "cpu"
    yield from ParallelMap(len(batches) if on_cpu else 1, threads_each=1)(function, batches)


def even_slices(count: int, at_most: int, device: torch.device) -> list[slice]:
    """Slices of `count` rows, all about as long and none longer than `at_most`.

    On a CPU there are `PARTS` or more where the rows suffice, whatever the number of threads: an
    image's last bits depend on how many others are in its slice.
    """
    parts = min(PARTS, count) if device.type == "cpu" else 1
    return split(count, max(math.ceil(count / at_most), parts))


def split(count: int, parts: int) -> list[slice]:
    """`count` rows in `parts` consecutive slices, all about as long; empty ones are left out."""
    edges = [round(k * count / parts) for k in range(parts + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(edges) if stop > start]

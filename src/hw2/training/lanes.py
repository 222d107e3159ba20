"""Different work side by side, on a thread of its own each."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")


class Lanes:
    """Threads that share out PyTorch's; on one core the work is done in turn.

    What is computed does not depend on how many run at once: each lane computes alone.
    """

    def __init__(self, count: int) -> None:
        threads = torch.get_num_threads()
        workers = min(count, threads)
        self._pool = ThreadPoolExecutor(
            workers, initializer=torch.set_num_threads, initargs=(max(1, threads // workers),)
        )

    def run(self, work: Sequence[Callable[[], T]]) -> list[T]:
        """The results, in order; the first error is raised."""
        return [future.result() for future in [self._pool.submit(one) for one in work]]

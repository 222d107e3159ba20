"""Independent trainings side by side: on a CPU, a thread for each is faster than all in each."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

import torch

from hw2.runtime import ranks
from hw2.runtime.progress import joint
from hw2.runtime.signals import StopFlag

Result = TypeVar("Result")


def side_by_side(
    trainings: Sequence[Callable[[], Result]], device: torch.device, *, steps: int, desc: str
) -> list[Result]:
    """The results of functions that each train something, in their order.

    On a CPU as many run at once as PyTorch has threads, which are divided among them; on a GPU, and
    in several processes, which share each training, one after the other. A training must give the
    same result for any number of threads, and must be one that continues when it is started again.

    Args:
        trainings: They share no state, and draw no random numbers from global streams.
        device: Where they compute.
        steps: The steps of all of them together, for the progress.
        desc: Text of the progress line.

    Raises:
        Interrupted: after all running ones have saved, when the process receives a signal to stop.
        Exception: the first error of a training, after the running ones have finished.
    """
    threads = torch.get_num_threads()
    alone = device.type == "cpu" and ranks.count() == 1
    at_once = max(1, min(len(trainings), threads)) if alone else 1
    pool = ThreadPoolExecutor(
        at_once, initializer=torch.set_num_threads, initargs=(threads // at_once,)
    )

    def start_no_other(ended: Future[Result]) -> None:
        # Called by the thread that ran it, before this takes the next one.
        if not ended.cancelled() and ended.exception():
            pool.shutdown(wait=False, cancel_futures=True)

    with StopFlag(), joint(steps, desc), pool:
        futures = [pool.submit(training) for training in trainings]
        for future in futures:
            future.add_done_callback(start_no_other)
        wait(futures, return_when=FIRST_EXCEPTION)  # a future cancelled in the queue never ends
        pool.shutdown()
        failed = [future for future in futures if not future.cancelled() and future.exception()]
        return [future.result() for future in failed or futures]

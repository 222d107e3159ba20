"""Batches of images side by side: on a CPU, a thread for each is faster than all in each."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def even_slices(count: int, most: int, device: torch.device) -> list[slice]:
    """Slices of `count` rows, each of at most `most` and all about as long; on a CPU there is one
    for each thread where the rows suffice, since larger batches cost less for a row."""
    threads = torch.get_num_threads() if device.type == "cpu" else 1
    parts = max(math.ceil(count / most), min(threads, count))
    edges = [round(k * count / parts) for k in range(parts + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def side_by_side(
    one: Callable[[Item], Result], batches: Sequence[Item], device: torch.device
) -> Iterator[Result]:
    """The results of `one` in the order of the batches; on a GPU one batch at a time."""
    threads = torch.get_num_threads()
    workers = min(len(batches), threads) if device.type == "cpu" else 1
    each = max(1, threads // workers)
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(each,)) as pool:
        yield from pool.map(one, batches)

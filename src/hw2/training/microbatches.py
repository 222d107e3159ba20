"""Gradients of a batch, computed in parts side by side.

On a CPU two threads with half a batch each are faster than two threads that share every operation.
"""

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor


class Shards:
    """Splits a batch into `count` parts, of which as many run at once as there are CPU threads.

    The parts, not the threads, decide the result: it has the same bits on one core and on many.
    Not for networks with BatchNorm, whose statistics the parts would write at the same time.

    Args:
        in_turn: one part after the other, for less memory: gradient accumulation.
    """

    def __init__(self, count: int, *, in_turn: bool = False) -> None:
        self.count = count
        threads = torch.get_num_threads()
        workers = 1 if in_turn else min(count, threads)
        each = max(1, threads // workers)
        self._pool = ThreadPoolExecutor(
            workers, initializer=torch.set_num_threads, initargs=(each,)
        )

    def backward(
        self, loss: Callable[[slice], Tensor], size: int, parameters: Sequence[Tensor]
    ) -> float:
        """Put the gradient of the mean loss of `size` rows into `.grad`, and return that loss.

        Args:
            loss: the mean loss, a scalar, of a slice of the batch.
        """
        edges = [round(k * size / self.count) for k in range(self.count + 1)]
        parts = [slice(a, b) for a, b in itertools.pairwise(edges) if b > a]

        def one(part: slice) -> tuple[float, tuple[Tensor, ...]]:
            value = loss(part) * ((part.stop - part.start) / size)
            return value.item(), torch.autograd.grad(value, parameters)

        results = list(self._pool.map(one, parts))
        for place, parameter in enumerate(parameters):
            # In the memory layout of the parameter, which fused optimizers rely on without a check.
            total = torch.empty_like(parameter).copy_(results[0][1][place])
            for _, gradients in results[1:]:
                total += gradients[place]
            parameter.grad = total
        return sum(value for value, _ in results)

"""Gradients of a batch, computed from microbatches that run in parallel.

On a CPU two threads with half a batch each are faster than two threads that share every operation.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from hw2.training.parallel import ParallelMap, split


class Microbatches:
    """Splits a batch into `count` microbatches; as many run at once as there are CPU threads.

    The microbatches, not the threads, decide the result: it has the same bits on one core and on
    many. Not for networks with BatchNorm, whose statistics would be written at the same time.

    Args:
        in_turn: One microbatch after the other, for less memory: gradient accumulation.
    """

    def __init__(self, count: int, *, in_turn: bool = False) -> None:
        self.count = count
        self._map = ParallelMap(1 if in_turn else count)

    def backward(
        self, loss: Callable[[slice], Tensor], size: int, parameters: Sequence[Tensor]
    ) -> float:
        """Put the gradient of the mean loss of `size` rows into `.grad`, and return that loss.

        Args:
            loss: The mean loss, a scalar, of a slice of the batch.
        """

        def gradients_of(rows: slice) -> tuple[float, tuple[Tensor, ...]]:
            share = loss(rows) * ((rows.stop - rows.start) / size)
            return share.item(), torch.autograd.grad(share, parameters)

        results = list(self._map(gradients_of, split(size, self.count)))
        for index, parameter in enumerate(parameters):
            # In the memory layout of the parameter, which fused optimizers rely on without a check.
            total = torch.empty_like(parameter).copy_(results[0][1][index])
            for _, gradients in results[1:]:
                total += gradients[index]
            parameter.grad = total
        return sum(share for share, _ in results)

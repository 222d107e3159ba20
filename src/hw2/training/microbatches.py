"""Gradients of a batch, computed from microbatches that run in parallel.

On a CPU two threads with half a batch each are faster than two threads that share every operation.
Several processes (`hw2.training.processes`) share the microbatches.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor
from torch.amp import GradScaler

from hw2.runtime import ranks
from hw2.training import processes
from hw2.training.parallel import ParallelMap, split

_Result = tuple[Tensor, tuple[Tensor, ...]]  # the share of the loss, and its gradients


class Microbatches:
    """Splits a batch into `count` microbatches; as many run at once as there are CPU threads.

    The microbatches, not the threads, decide the result: it has the same bits on one core and on
    many. Not for networks with BatchNorm, whose statistics would be written at the same time.
    Several processes get equal numbers of microbatches, one each at least.

    Args:
        in_turn: One microbatch after the other: gradient accumulation, for less memory. A GPU
            computes with all of itself on each.
    """

    def __init__(self, count: int, *, in_turn: bool = False) -> None:
        own = math.ceil(count / ranks.count())
        self.count = own * ranks.count()
        self._map: Callable[..., Iterable[_Result]] = map if in_turn else ParallelMap(own)

    def own(self, size: int) -> list[slice]:
        """The microbatches of this process in a batch of `size` rows, one after the other."""
        return processes.dealt(split(size, self.count))

    def backward(
        self,
        loss: Callable[[slice], Tensor],
        size: int,
        parameters: Sequence[Tensor],
        scaler: GradScaler | None = None,
    ) -> Tensor:
        """Put the gradient of the mean loss of `size` rows into `.grad`.

        Args:
            loss: The mean loss, a scalar, of a slice of the batch.
            size: Rows of the batch.
            parameters: Get a gradient in their own memory layout, which fused optimizers rely on
                without a check.
            scaler: Scales the loss before the backward pass.

        Returns:
            The mean loss, float64 (), without the scale, on the device of the loss. It and the
            gradient are those of the whole batch in every process.
        """

        def gradients_of(rows: slice) -> _Result:
            share = loss(rows) * ((rows.stop - rows.start) / size)
            scaled = share if scaler is None else scaler.scale(share)
            return share.detach().double(), torch.autograd.grad(scaled, parameters)

        (value, first), *others = self._map(gradients_of, self.own(size))
        totals = [torch.empty_like(parameter) for parameter in parameters]
        torch._foreach_copy_(totals, first)
        for share, gradients in others:
            value = value + share
            torch._foreach_add_(totals, gradients)
        processes.add_up(totals)
        processes.add_up([value])
        for parameter, total in zip(parameters, totals, strict=True):
            parameter.grad = total
        return value

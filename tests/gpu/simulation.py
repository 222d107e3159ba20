"""A GPU whose tensors have shapes and places but no values, so that none is needed.

Tensors on the CPU are real. Those on the device are PyTorch's fake ones: an operation on tensors of
both raises. What is copied from the device has random numbers, and zeros as integers; where a GPU
must not be waited for, such as within a training step, a copy raises.

PyTorch's autograd engine wants a driver for gradients on `cuda:0`; there `torch.autograd.grad`
and `Tensor.backward` give empty ones, and the backward pass runs on the device `meta`, which has
neither autocast nor fused optimizers.
"""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, unset_fake_temporarily
from torch.nn import functional as F
from torch.utils._pytree import tree_leaves, tree_map_only

from hw2 import rng
from hw2.training import parallel, side_by_side
from hw2.training.resume import Resume

MEMORY = 80 * 2**30
READERS = {"_floats": True, "take_snapshot": True, "advance": False}
"""Functions by name, and whether what they call may read values; the innermost decides.

`advance` is a training step.
"""
aten = torch.ops.aten


class WaitError(RuntimeError):
    """A value was read where the processor must not wait for the device."""


@contextmanager
def simulated(device: torch.device, *, readable: bool = False) -> Iterator[torch.device]:
    """The device within the block.

    Args:
        device: `cuda:0` or `meta`.
        readable: Whether values may be read outside the functions of `READERS`.
    """
    with pytest.MonkeyPatch.context() as patch, _Simulation(readable):
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
        patch.setattr(torch.cuda, "mem_get_info", lambda device=None: (MEMORY, MEMORY))
        patch.setattr(rng, "torch_rng", _stream)
        patch.setattr(torch, "load", _load)
        patch.setattr(nn.Module, "_apply", _apply)
        patch.setattr(F, "batch_norm", _batch_norm)
        patch.setattr(Resume, "save", lambda *_: None)  # it would write tensors without values
        for module in (parallel, side_by_side):
            patch.setattr(module, "ThreadPoolExecutor", _InTurn)
        if device.type == "cuda":
            patch.setattr(torch.autograd, "grad", _no_gradients)
            patch.setattr(Tensor, "backward", _fill_gradients)
        else:
            patch.setattr("hw2.training.denoising.autocast", lambda *_: nullcontext())
            patch.setattr(torch.optim.AdamW, "__init__", _unfused)
        yield device


class _Simulation(FakeTensorMode):
    """Makes the tensors of the device, and only those, fake."""

    def __init__(self, readable: bool) -> None:
        super().__init__(allow_non_fake_inputs=True)
        self._readable = readable
        self._values = torch.Generator().manual_seed(1)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        leaves = tree_leaves((args, options))
        fake = [leaf for leaf in leaves if isinstance(leaf, FakeTensor)]
        devices = {leaf.type for leaf in leaves if isinstance(leaf, torch.device)}
        if not fake and devices <= {"cpu"}:
            return func(*args, **options)
        if func is aten._to_copy.default and devices == {"cpu"}:
            return self._read(args[0]).to(options.get("dtype") or args[0].dtype)
        if func is aten.copy_.default and not isinstance(args[0], FakeTensor):
            return args[0].copy_(self._read(args[1]))
        if func is aten._local_scalar_dense.default:
            return self._read(args[0]).item()
        if func is aten.nonzero.default:
            self._read(args[0])
            return args[0].new_zeros((1, args[0].ndim), dtype=torch.int64)
        if not fake:  # a copy to the device, which PyTorch would make if it could
            args, options = tree_map_only(Tensor, self._placed, (args, options))
        return super().__torch_dispatch__(func, types, args, options)

    def _placed(self, tensor: Tensor) -> Tensor:
        """The tensor without values, still on the CPU."""
        return self.fake_tensor_converter.from_real_tensor(self, tensor.detach())

    def _read(self, tensor: Tensor) -> Tensor:
        """A copy on the CPU."""
        if not _innermost(READERS, self._readable):
            raise WaitError("a value on the device is read")
        if not tensor.is_floating_point():
            return torch.zeros(tensor.shape, dtype=tensor.dtype)
        return torch.rand(tensor.shape, generator=self._values).to(tensor.dtype)


def _innermost(functions: dict[str, bool], otherwise: bool) -> bool:
    """The value of the function of these names that was called last."""
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name not in functions:
        frame = frame.f_back  # type: ignore[assignment]
    return otherwise if frame is None else functions[frame.f_code.co_name]


_torch_load, _torch_rng, _grad, _backward = (
    torch.load, rng.torch_rng, torch.autograd.grad, Tensor.backward
)  # fmt: skip
_adamw, _normalize = torch.optim.AdamW.__init__, F.batch_norm


def _stream(seed: int, *names: Any, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator that says that it is on `device`, where nothing is drawn."""
    if torch.device(device).type == "cpu":
        return _torch_rng(seed, *names)
    kind = type("Stream", (torch.Generator,), {"device": torch.device(device)})
    stream: torch.Generator = kind()
    return stream


def _load(*args: Any, **options: Any) -> Any:
    """`torch.load` with values, which it leaves out in a simulation."""
    with unset_fake_temporarily():
        return _torch_load(*args, **options)


def _apply(self: nn.Module, function: Any, recurse: bool = True) -> nn.Module:
    """Move a module by new parameters: one cannot become a fake one in place."""
    moved: dict[int, Any] = {}  # by the parameter, which modules may share
    for module in self.modules() if recurse else [self]:
        for name, weight in module._parameters.items():
            if weight is not None:
                if id(weight) not in moved:
                    value = function(weight.detach())
                    moved[id(weight)] = weight, nn.Parameter(value, weight.requires_grad)
                module._parameters[name] = moved[id(weight)][1]
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = function(buffer)
    return self


def _no_gradients(outputs: Any, inputs: Any, *rest: Any, **options: Any) -> tuple[Tensor, ...]:
    if not any(isinstance(tensor, FakeTensor) for tensor in tree_leaves(outputs)):
        return _grad(outputs, inputs, *rest, **options)
    return tuple(torch.empty_like(tensor) for tensor in tree_leaves(inputs))


def _fill_gradients(loss: Tensor, *rest: Any, **options: Any) -> None:
    """Give every leaf of the graph an empty gradient."""
    if not isinstance(loss, FakeTensor):
        return _backward(loss, *rest, **options)
    nodes, seen = [loss.grad_fn], set()
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            leaf.grad = torch.empty_like(leaf)
        nodes += [following for following, _ in node.next_functions]
    return None


def _batch_norm(
    x: Tensor, mean: Any, var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """The operation without the choice of a library, for which PyTorch asks the driver."""
    if not isinstance(x, FakeTensor):
        return _normalize(x, mean, var, weight, bias, training, momentum, eps)
    return torch.native_batch_norm(x, weight, bias, mean, var, training, momentum, eps)[0]


def _unfused(self: Any, *args: Any, fused: bool | None = None, **options: Any) -> None:
    _adamw(self, *args, **options)


class _InTurn(Executor):
    """Runs what it is given at once: the simulation does not reach into other threads."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def submit(self, function: Any, /, *args: Any, **options: Any) -> Any:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **options))
        except Exception as error:
            future.set_exception(error)
        return future

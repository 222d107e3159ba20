"""A device whose tensors have shapes and places but no values, so that none is needed.

An operation on tensors of two devices raises, and so does reading a value. PyTorch's autograd
engine wants a driver for gradients on `cuda:0`; there `torch.autograd.grad` returns empty ones, and
the backward pass runs on the device `meta`, which has neither autocast nor fused optimizers.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.nn import functional as F

from hw2 import rng
from hw2.training import loop, parallel

MEMORY = 80 * 2**30


@contextmanager
def simulated(device: torch.device) -> Iterator[torch.device]:
    """The device within the block; trainings end without reading a loss."""
    with pytest.MonkeyPatch.context() as patch, FakeTensorMode(allow_non_fake_inputs=True) as mode:
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
        patch.setattr(torch.cuda, "mem_get_info", lambda device=None: (MEMORY, MEMORY))
        patch.setattr(rng, "torch_rng", _stream)
        patch.setattr(rng, "seeded_init", lambda *_: nullcontext())
        patch.setattr(nn.Module, "to", _moving(mode))
        patch.setattr(F, "batch_norm", _batch_norm)
        patch.setattr(FakeTensor, "nonzero", _all_places)
        patch.setattr(parallel, "ThreadPoolExecutor", _InTurn)
        patch.setattr(loop, "_floats", lambda steps: [(k, dict.fromkeys(n, 0.0)) for k, n in steps])
        if device.type == "cuda":
            patch.setattr(torch.autograd, "grad", _no_gradients)
        else:
            patch.setattr("hw2.training.denoising.autocast", lambda *_: nullcontext())
            patch.setattr(torch.optim.AdamW, "__init__", _unfused)
        yield device


def _stream(seed: int, *names: Any, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator that says that it is on `device`; nothing is drawn in a simulation."""
    kind = type("Stream", (torch.Generator,), {"device": torch.device(device)})
    stream: torch.Generator = kind()
    return stream


def _no_gradients(outputs: Any, inputs: Sequence[Tensor], *_: Any, **__: Any) -> tuple[Tensor, ...]:
    return tuple(torch.empty_like(tensor) for tensor in inputs)


def _batch_norm(
    x: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """The operation without the choice of a library, for which PyTorch asks the driver."""
    return torch.native_batch_norm(x, weight, bias, mean, var, training, momentum, eps)[0]


def _all_places(mask: Tensor) -> Tensor:
    """Every place of a mask on the CPU; a mask on the device would have to be read."""
    assert mask.device.type == "cpu", "the number of true values is read on the device"
    return torch.arange(len(mask))[:, None]


class _InTurn(Executor):
    """Runs what it is given at once: the simulation does not reach into other threads."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def submit(self, function: Any, /, *args: Any, **options: Any) -> Any:
        future: Future[Any] = Future()
        future.set_result(function(*args, **options))
        return future


_adamw = torch.optim.AdamW.__init__


def _unfused(self: Any, *args: Any, fused: bool | None = None, **options: Any) -> None:
    _adamw(self, *args, **options)


def _moving(mode: FakeTensorMode) -> Any:
    """`nn.Module.to`, which replaces parameters, because fake ones cannot be moved in place."""

    def moved(tensor: Tensor, device: Any, dtype: Any, layout: Any) -> Tensor:
        fake = tensor if isinstance(tensor, FakeTensor) else mode.from_tensor(tensor.detach())
        cast = dtype if tensor.is_floating_point() else None
        # Not `to`, which would compute a constant on the device itself.
        result = torch.empty_strided(
            fake.shape, fake.stride(), device=device or fake.device, dtype=cast or fake.dtype
        )
        return result.to(memory_format=layout) if layout and tensor.ndim == 4 else result

    def to(self: nn.Module, *args: Any, **options: Any) -> nn.Module:
        device, dtype, _, layout = torch._C._nn._parse_to(*args, **options)
        for module in self.modules():
            for name, weight in module._parameters.items():
                if weight is not None:
                    value = moved(weight, device, dtype, layout)
                    module._parameters[name] = nn.Parameter(value, weight.requires_grad)
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = moved(buffer, device, dtype, layout)
        return self

    return to

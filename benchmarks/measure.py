"""Time, memory, operations and ceilings of a device, for `run.py` and `gpu.py`."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from hw2.runtime.device import fastest_precision

Precision = Literal["fp32", "bf16", "fp16"]
PRECISIONS: dict[str, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


@dataclass(frozen=True)
class Ceilings:
    """The rates of a device in FLOP/s, measured with large operands, for one precision."""

    product: float
    convolution: float


@dataclass(frozen=True)
class Work:
    """Floating-point operations of matrix products (attention among them) and of convolutions."""

    product: float
    convolution: float

    def times(self, factor: float) -> "Work":
        return Work(factor * self.product, factor * self.convolution)

    def share(self, seconds: float, ceilings: Ceilings) -> float:
        """The time at the ceilings relative to the time that was measured."""
        at_best = self.product / ceilings.product + self.convolution / ceilings.convolution
        return at_best / seconds


def half(device: torch.device) -> Precision:
    """The half precision that trainings take on this device."""
    return "bf16" if device.type != "cuda" else fastest_precision(device)


def work_of(call: Callable[[], Any]) -> Work:
    """Count the operations of a call without gradients."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        call()
    counts = counter.get_flop_counts()["Global"]
    convolution = sum(n for op, n in counts.items() if "convolution" in str(op))
    return Work(sum(counts.values()) - convolution, convolution)


def seconds_of(call: Callable[[], Any], device: torch.device) -> float:
    """Wall seconds until the device has done all of a call."""
    _wait(device)
    start = time.perf_counter()
    call()
    _wait(device)
    return time.perf_counter() - start


def seconds_per_step(train: Callable[[int], Any], device: torch.device, steps: int) -> float:
    """Seconds of a step, from trainings of `steps` and of 3 `steps` after one to warm up."""
    train(steps)
    short = seconds_of(lambda: train(steps), device)
    long = seconds_of(lambda: train(3 * steps), device)
    return max(long - short, 1e-9) / (2 * steps)


def memory_of(call: Callable[[], Any], device: torch.device) -> tuple[Any, float | None]:
    """What a call returns, and the peak of the device's memory in GiB; None for a CPU."""
    if device.type != "cuda":
        return call(), None
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    result = call()
    return result, torch.cuda.max_memory_allocated(device) / 2**30


def ceilings(device: torch.device, precision: str, *, tiny: bool) -> Ceilings:
    """Rates of a square product, and of a 3x3 convolution of 256 channels, channels last."""
    dtype = PRECISIONS[precision]
    side, count = (64, 2) if tiny else (8192, 64)
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    images = torch.randn(count, 16 if tiny else 256, 32, 32, device=device, dtype=dtype)
    images = images.contiguous(memory_format=torch.channels_last)
    convolution = nn.Conv2d(images.shape[1], images.shape[1], 3, padding=1, bias=False)
    weight = convolution.weight.detach().to(device, dtype)
    weight = weight.contiguous(memory_format=torch.channels_last)
    return Ceilings(
        _rate(lambda: a @ b, device),
        _rate(lambda: F.conv2d(images, weight, padding=1), device),
    )


def _rate(call: Callable[[], Any], device: torch.device, repeats: int = 20) -> float:
    work = work_of(call)  # warms up, too
    best = min(
        seconds_of(lambda: [call() for _ in range(repeats)], device) / repeats for _ in range(3)
    )
    return (work.product + work.convolution) / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)

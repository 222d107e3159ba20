"""What a processor can do at best: products, convolutions, files and processes."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from comparison import Ceiling, Settings
from measure import PRECISIONS, Work, work_of
from torch import nn

REPEATS = 4


def of_work(work: Work, precision: str, settings: Settings) -> dict[str, Ceiling]:
    """Ceilings of products and of convolutions, for a unit of work that needs these operations."""
    ceilings = {}
    if work.product:
        run = _repeated(_product(settings.size(1024, 64), precision))
        ceilings[f"matrix products in {precision}"] = Ceiling(run, work.product)
    if work.convolution:
        run = _repeated(_convolution(settings.size(32, 2), precision))
        ceilings[f"convolutions in {precision}"] = Ceiling(run, work.convolution)
    return ceilings


def of_reading(folder: Path, bytes_needed: float, settings: Settings) -> dict[str, Ceiling]:
    """The ceiling of reading a large file, which the system holds in memory by then."""
    size = settings.size(1 << 26, 1 << 16)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(b"\0" * size)

    def run() -> float:
        return len(Path(file.name).read_bytes())

    return {"reading a file": Ceiling(run, bytes_needed)}


def of_processes(needed: float) -> dict[str, Ceiling]:
    """The ceiling of starting Python."""

    def run() -> float:
        subprocess.run([sys.executable, "-I", "-c", "pass"], check=True)
        return 1.0

    return {"starting Python": Ceiling(run, needed)}


def _product(side: int, precision: str) -> Callable[[], object]:
    a, b = (torch.ones(side, side, dtype=PRECISIONS[precision]) for _ in range(2))
    return lambda: a @ b


def _convolution(count: int, precision: str) -> Callable[[], object]:
    """3x3 from 64 to 128 channels of 28x28 pixels, channels last."""
    layer = nn.Conv2d(64, 128, 3, padding=1, bias=False).requires_grad_(False)
    layer.to(PRECISIONS[precision]).to(memory_format=torch.channels_last)
    images = torch.ones(count, 64, 28, 28, dtype=PRECISIONS[precision])
    images = images.contiguous(memory_format=torch.channels_last)
    return lambda: layer(images)


def _repeated(call: Callable[[], object]) -> Callable[[], float]:
    """The call several times, and its operations."""
    work = work_of(call)  # warms up, too
    operations = REPEATS * (work.product + work.convolution)

    def run() -> float:
        for _ in range(REPEATS):
            call()
        return operations

    return run

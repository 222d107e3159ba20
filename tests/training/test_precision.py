"""Autocast in several threads."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from hw2.training.parallel import ParallelMap
from hw2.training.precision import autocast

CPU = torch.device("cpu")
Context = Callable[[], AbstractContextManager[object]]


def gradients(context: Context, tasks: int, at_once: int) -> list[Tensor]:
    """Gradients of a layer that each task uses several times, `at_once` tasks at a time."""
    stream = torch.Generator().manual_seed(1)
    layer = nn.Linear(64, 64, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.randn((64, 64), generator=stream) / 8)
    images = torch.randn((tasks, 256, 64), generator=stream)

    def gradient(task: int) -> Tensor:
        with context():
            x = images[task]
            for _ in range(8):
                x = layer(x).relu()
        return torch.autograd.grad(x.float().square().mean(), layer.weight)[0]

    return list(ParallelMap(at_once)(gradient, range(tasks)))


def test_threads_do_not_change_the_bits_of_gradients() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for _ in range(10):
            parallel = gradients(lambda: autocast(CPU, "bf16"), 8, 2)
            alone = gradients(lambda: autocast(CPU, "bf16"), 8, 1)
            assert all(torch.equal(a, b) for a, b in zip(parallel, alone, strict=True))
    finally:
        torch.set_num_threads(threads)


def test_fp32_is_not_cast() -> None:
    with autocast(CPU, "fp32"):
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.float32
    with autocast(CPU, "bf16"):
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.bfloat16

"""Network calls are counted where they happen."""

import pytest
import torch
from torch import Tensor

from hw2.diffusion import schedule
from hw2.diffusion.guidance import Guidance, guided
from hw2.diffusion.network_calls import NetworkCalls
from hw2.diffusion.samplers import loop


def network(xt: Tensor, t: Tensor, labels: Tensor) -> Tensor:
    return 0.1 * xt


@pytest.mark.parametrize(("scale", "calls_per_step"), [(1.0, 1), (3.0, 2)])
def test_guidance_costs_a_second_call_per_step(scale: float, calls_per_step: int) -> None:
    calls = NetworkCalls()
    output = guided(
        calls.counted(network), torch.zeros(3, dtype=torch.int64), Guidance(scale), 20, 1000
    )
    start = torch.zeros(3, 1, 2, 2)
    noise_schedule = schedule.make("cosine", 20)
    loop.final(loop.sample(output, noise_schedule, "v", start, sampler="ddim", steps=5))
    assert calls.per_image(3) == 5 * calls_per_step


def test_calls_that_do_not_divide_evenly_are_an_error() -> None:
    calls = NetworkCalls()
    calls.counted(network)(torch.zeros(4, 1, 2, 2), torch.zeros(4), torch.zeros(4))
    with pytest.raises(ValueError, match="4 network calls are not a multiple of 3 images"):
        calls.per_image(3)

"""The value is not touched, the gradient is reversed and scaled; the schedule is the paper's."""

import math

import pytest
import torch

from hw2.dann.gradient_reversal import reverse, schedule


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_forward_is_the_identity_and_backward_is_reversed(strength: float) -> None:
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(4), requires_grad=True)
    weights = torch.arange(12.0).view(4, 3)
    y = reverse(x, strength)
    assert torch.equal(y, x)
    (y * weights).sum().backward()
    assert x.grad is not None
    assert torch.allclose(x.grad, -strength * weights)


def test_layers_after_the_reversal_keep_their_gradient() -> None:
    x, w = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    (reverse(x, 0.5) * w).sum().backward()
    assert w.grad is not None
    assert torch.equal(w.grad, torch.ones(3))


@pytest.mark.parametrize("cap", [0.1, 1.0])
def test_the_schedule_rises_from_zero_towards_the_cap(cap: float) -> None:
    values = [schedule(step / 100, cap) for step in range(101)]
    assert values[0] == 0
    assert values == sorted(values)
    assert values[-1] == pytest.approx(cap * (1 - 2 / (1 + math.exp(10))))
    assert values[-1] < cap
    # Ganin et al. (2016): 2 / (1 + exp(-10 p)) - 1 is tanh(5 p).
    assert values[10] == pytest.approx(cap * math.tanh(0.5))

"""Muon's updates are near-orthogonal, of AdamW's size, and resume exactly."""

import copy

import pytest
import torch
from torch import Tensor, nn

from hw2.training.muon import Muon, orthogonal


def randn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def ill_conditioned(rows: int, columns: int) -> Tensor:
    """Singular values from 1 to 0.05, as gradients have a few strong directions."""
    u, _, v = torch.linalg.svd(randn(rows, columns), full_matrices=False)
    return u @ torch.diag(torch.logspace(0, -1.3, min(rows, columns))) @ v


@pytest.mark.parametrize("shape", [(8, 8), (16, 144), (144, 16), (5, 300)])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e4])
def test_singular_values_come_near_1(shape: tuple[int, int], size: float) -> None:
    values = torch.linalg.svdvals(orthogonal(size * randn(*shape)))
    assert values.max() < 1.3
    # The quintic lifts what is not tiny; a square random matrix has tiny ones, few in number.
    assert values.median() > 0.5
    if shape[0] != shape[1]:
        assert values.min() > 0.5


def test_weak_directions_are_lifted() -> None:
    values = torch.linalg.svdvals(orthogonal(ill_conditioned(16, 64)))
    assert 0.3 < values.min() < values.max() < 1.3  # before, they differed twentyfold


@pytest.mark.parametrize("shape", [(16, 48), (48, 16)])
def test_directions_are_kept(shape: tuple[int, int]) -> None:
    matrix = randn(*shape)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.T @ orthogonal(matrix) @ v.T
    off = turned - torch.diag(turned.diagonal())
    assert off.abs().max() < 1e-3  # float32, after four products
    assert turned.diagonal().min() > 0


def test_no_gradient_gives_no_update() -> None:
    assert not orthogonal(torch.zeros(4, 9)).any()


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (4, 16, 1, 1), (32, 8)])
def test_a_step_has_the_size_of_an_adamw_step(shape: tuple[int, ...]) -> None:
    weight = nn.Parameter(torch.zeros(shape))
    weight.grad = randn(*shape)
    Muon([weight], lr=0.01).step()
    rms = weight.detach().square().mean().sqrt().item()
    # 0.2 is AdamW's usual root mean square in units of the rate; singular values are 0.5 to 1.3.
    assert 0.5 * 0.2 * 0.01 < rms < 1.3 * 0.2 * 0.01


def test_the_memory_layout_does_not_change_the_update() -> None:
    updated = []
    for layout in (torch.contiguous_format, torch.channels_last):
        weight = nn.Parameter(torch.zeros(8, 4, 3, 3).to(memory_format=layout))
        weight.grad = randn(8, 4, 3, 3).to(memory_format=layout)
        Muon([weight], lr=1.0).step()
        updated.append(weight.detach())
    torch.testing.assert_close(*updated, rtol=1e-4, atol=1e-5)  # float32 products, reordered


def test_a_parameter_without_gradient_stays() -> None:
    weight = nn.Parameter(torch.ones(3, 3))
    Muon([weight], lr=1.0).step()
    assert torch.equal(weight, torch.ones(3, 3))


def test_muon_reduces_the_loss() -> None:
    target, weight = randn(6, 2, 3, 3), nn.Parameter(torch.zeros(6, 2, 3, 3))
    optimizer = Muon([weight], lr=0.1)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (weight - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_a_resumed_muon_continues_bit_for_bit() -> None:
    def steps(conv: nn.Conv2d, optimizer: Muon, numbers: range) -> None:
        for k in numbers:
            optimizer.zero_grad()
            conv(randn(2, 3, 6, 6, seed=k)).square().mean().backward()
            optimizer.step()

    straight = nn.Conv2d(3, 4, 3)
    with torch.no_grad():
        straight.weight.copy_(randn(4, 3, 3, 3))
    optimizer = Muon([straight.weight], lr=0.02)
    steps(straight, optimizer, range(4))
    resumed = copy.deepcopy(straight)
    other = Muon([resumed.weight], lr=0.5)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    steps(straight, optimizer, range(4, 8))
    steps(resumed, other, range(4, 8))
    assert torch.equal(straight.weight, resumed.weight)

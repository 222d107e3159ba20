"""The average of the weights: its formula, its start, and what is not averaged."""

import pytest
import torch
from torch import nn

from hw2.training.ema import EMA


def network() -> nn.Module:
    layers = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    with torch.no_grad():
        for number, parameter in enumerate(layers.parameters()):
            parameter.fill_(number + 1)
    return layers


def move(layers: nn.Module, by: float) -> None:
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter.add_(by)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_the_average_follows_its_formula(decay: float) -> None:
    layers = network()
    ema = EMA(layers, decay)
    expected = layers.state_dict()["0.weight"].double()
    for update in range(1, 40):
        move(layers, 0.1 * update)
        ema.update(layers)
        kept = min(decay, (1 + update) / (10 + update))
        expected = kept * expected + (1 - kept) * layers.state_dict()["0.weight"].double()
    # 40 averages in float32 of numbers up to 80.
    torch.testing.assert_close(ema.weights["0.weight"].double(), expected, rtol=1e-5, atol=1e-5)


def test_the_average_starts_as_a_copy_of_the_network() -> None:
    layers = network()
    ema = EMA(layers, 0.9)
    before = {name: value.clone() for name, value in layers.state_dict().items()}
    move(layers, 5)
    assert all(torch.equal(ema.weights[name], before[name]) for name in before)


def test_an_early_update_forgets_the_start() -> None:
    layers = network()
    ema = EMA(layers, 0.9999)
    move(layers, 1)
    ema.update(layers)
    moved = ema.weights["0.weight"] - (layers.state_dict()["0.weight"] - 1)
    torch.testing.assert_close(moved, torch.full((3, 3), 1 - 2 / 11))


def test_buffers_are_copied() -> None:
    layers = network()
    ema = EMA(layers, 0.999)
    for _ in range(3):
        layers(torch.randn(8, 3, generator=torch.Generator().manual_seed(1)))
        ema.update(layers)
    for name, buffer in layers.named_buffers():
        assert torch.equal(ema.weights[name], buffer)
    assert ema.weights["1.num_batches_tracked"] == 3


def test_a_resumed_average_continues_bit_for_bit() -> None:
    layers = network()
    straight = EMA(layers, 0.9)
    for step in range(5):
        move(layers, step)
        straight.update(layers)
    resumed = EMA(network(), 0.9)
    resumed.load_state_dict(straight.state_dict())
    assert resumed.weights["0.weight"] is not straight.weights["0.weight"]
    move(layers, 7)
    for ema in (straight, resumed):
        ema.update(layers)
    assert resumed.updates == straight.updates == 6
    assert all(torch.equal(resumed.weights[n], straight.weights[n]) for n in straight.weights)

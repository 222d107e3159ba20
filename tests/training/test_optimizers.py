"""Every weight goes to one optimizer, and the rates follow their schedules."""

import numpy as np
import pytest
import torch
from torch import nn

from hw2.training.optimizers import (
    ScheduledOptimizers,
    adamw_and_muon,
    half_cosine,
    trapezoid,
)


def weights() -> list[nn.Parameter]:
    return [nn.Parameter(torch.ones(shape)) for shape in ((4, 4), (4, 4), (4,))]


def built(every: list[nn.Parameter], muon_lr: float) -> ScheduledOptimizers:
    return adamw_and_muon(
        every, every[:1], lr=0.1, muon_lr=muon_lr, weight_decay=0.5, undecayed=every[2:]
    )


@pytest.mark.parametrize("muon_lr", [0.0, 0.2])
def test_every_weight_has_one_optimizer(muon_lr: float) -> None:
    every = weights()
    optimizers = built(every, muon_lr)
    groups = [group for optimizer, _ in optimizers.members for group in optimizer.param_groups]
    assert sorted(id(p) for g in groups for p in g["params"]) == sorted(map(id, every))
    assert [type(o).__name__ for o, _ in optimizers.members] == ["AdamW", "Muon"][
        : 1 + (muon_lr > 0)
    ]


def test_only_the_named_weights_escape_decay() -> None:
    every = weights()
    for weight in every:
        weight.grad = torch.zeros_like(weight)
    built(every, 0.0).step(1.0)
    assert [weight.min().item() for weight in every] == pytest.approx([0.95, 0.95, 1.0])


def test_a_step_scales_each_peak_rate() -> None:
    optimizers = built(weights(), 0.2)
    assert optimizers.step(0.5) == 0.05
    assert [o.param_groups[0]["lr"] for o, _ in optimizers.members] == [0.05, 0.1]
    assert optimizers.step(1.0) == 0.1


@pytest.mark.parametrize(("warmup", "decay_start"), [(0, 1.0), (10, 0.6), (5, 0.0)])
def test_a_trapezoid_rises_stays_and_falls(warmup: int, decay_start: float) -> None:
    rates = np.array(
        [trapezoid(k, 100, warmup_steps=warmup, decay_start=decay_start) for k in range(100)]
    )
    assert (rates > 0).all()
    assert rates.max() <= 1
    assert (np.diff(rates[: max(1, warmup)]) > 0).all()
    assert (np.diff(rates[max(warmup, round(100 * decay_start)) :]) < 0).all()
    assert rates[-1] == (1 if decay_start == 1 else pytest.approx(0.01 / (1 - decay_start)))
    if decay_start == 0.6:
        assert rates[9:60] == pytest.approx(1)


def test_half_a_cosine_rises_and_falls_to_zero() -> None:
    rates = np.array([half_cosine(k, 100, warmup_fraction=0.1) for k in range(100)])
    assert (np.diff(rates[:11]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert rates[10] == 1
    assert 0 < rates[-1] < 1e-3

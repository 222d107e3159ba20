"""The objective measures each prediction's own error, and that of v for x0 networks."""

import pytest
import torch

from hw2.diffusion import schedule
from hw2.diffusion.objective import Objective, min_snr_v_weights
from hw2.diffusion.schedule import Prediction

SCHEDULE = schedule.make("cosine", 400)
T = torch.tensor([60, 150, 300, 399])


def randn(seed: int) -> torch.Tensor:
    stream = torch.Generator().manual_seed(seed)
    return torch.randn((4, 3, 5, 5), generator=stream, dtype=torch.float64)


@pytest.mark.parametrize("prediction", ["x0", "eps", "v"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_of_the_true_output_is_zero(prediction: Prediction, weighted: bool) -> None:
    objective = Objective(SCHEDULE, prediction, min_snr_v_weights(SCHEDULE) if weighted else None)
    x0, eps = randn(1), randn(2)
    output = SCHEDULE.target(x0, eps, T, prediction)
    xt = SCHEDULE.add_noise(x0, eps, T)
    assert objective.loss(output, objective.target(x0, eps, T), xt, T) < 1e-20


@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_of_an_x0_network_is_that_of_the_v_it_implies(weighted: bool) -> None:
    weights = min_snr_v_weights(SCHEDULE) if weighted else None
    x0, eps, output = randn(1), randn(2), randn(3)
    xt = SCHEDULE.add_noise(x0, eps, T)
    losses = []
    for prediction, network_output in (("x0", output), ("v", SCHEDULE.v_from_x0(output, xt, T))):
        objective = Objective(SCHEDULE, prediction, weights)  # type: ignore[arg-type]
        losses.append(objective.loss(network_output, objective.target(x0, eps, T), xt, T))
    assert torch.equal(*losses)
    assert losses[0] > 0


def test_equal_weights_change_nothing() -> None:
    x0, eps, output = randn(1), randn(2), randn(3)
    xt = SCHEDULE.add_noise(x0, eps, T)
    plain, weighted = (Objective(SCHEDULE, "v", w) for w in (None, torch.ones(400)))
    target = plain.target(x0, eps, T)
    torch.testing.assert_close(
        plain.loss(output, target, xt, T), weighted.loss(output, target, xt, T)
    )


def test_min_snr_weights_are_one_where_noise_prevails_and_never_zero() -> None:
    weights = min_snr_v_weights(SCHEDULE)
    snr = SCHEDULE.abar / (1 - SCHEDULE.abar)
    assert weights[snr < 5].sub(1).abs().max() < 1e-6
    assert (weights.diff() >= -1e-6).all()
    assert weights.min() > 0

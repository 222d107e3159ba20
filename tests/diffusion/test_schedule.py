"""Noise schedules fall, match diffusers, and convert between x0, eps and v without loss."""

from typing import Literal

import pytest
import torch
from diffusers import DDIMScheduler
from torch import Tensor

from hw2.diffusion import schedule
from hw2.diffusion.schedule import LEAST_NOISE, Prediction, Schedule

Kind = Literal["linear", "cosine"]
KINDS: tuple[Kind, ...] = ("linear", "cosine")
PREDICTIONS: tuple[Prediction, ...] = ("x0", "eps", "v")


def noised(noise_schedule: Schedule) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Float64 x0, eps, times with at least `LEAST_NOISE`, and xt."""
    stream = torch.Generator().manual_seed(noise_schedule.timesteps)
    noisy = torch.nonzero((1 - noise_schedule.abar).sqrt() >= LEAST_NOISE).flatten()
    t = noisy[torch.linspace(0, len(noisy) - 1, 9).round().long()]
    x0, eps = (torch.randn(9, 3, 4, 4, generator=stream, dtype=torch.float64) for _ in range(2))
    return x0, eps, t, noise_schedule.add_noise(x0, eps, t)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("timesteps", [2, 20, 400, 1000, 4000])
def test_abar_falls_strictly_between_one_and_zero(kind: Kind, timesteps: int) -> None:
    abar = schedule.make(kind, timesteps).abar
    assert abar.shape == (timesteps,)
    assert abar.dtype == torch.float64
    assert abar[0] < 1
    assert abar[-1] > 0
    assert (abar.diff() < 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("timesteps", [400, 1000])
def test_a_schedule_starts_almost_clean_and_ends_in_noise(kind: Kind, timesteps: int) -> None:
    abar = schedule.make(kind, timesteps).abar
    assert abar[0] > 0.999
    assert abar[-1] < 1e-4  # less than a hundredth of the amplitude is left


@pytest.mark.parametrize(
    ("kind", "theirs"), [("linear", "linear"), ("cosine", "squaredcos_cap_v2")]
)
def test_schedules_of_1000_steps_match_diffusers(kind: Kind, theirs: str) -> None:
    scheduler = DDIMScheduler(1000, 1e-4, 0.02, beta_schedule=theirs)
    abar = schedule.make(kind, 1000).abar
    beta = 1 - abar / torch.cat([torch.ones(1, dtype=torch.float64), abar[:-1]])
    # Their table is float32: a beta near 1 is off by its rounding, 6e-8.
    torch.testing.assert_close(beta, scheduler.betas.double(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("timesteps", [20, 400])
def test_the_true_output_gives_back_x0_and_eps(
    kind: Kind, prediction: Prediction, timesteps: int
) -> None:
    noise_schedule = schedule.make(kind, timesteps)
    x0, eps, t, xt = noised(noise_schedule)
    estimates = noise_schedule.x0_eps(
        noise_schedule.target(x0, eps, t, prediction), xt, t, prediction
    )
    # Float64, and x0 from eps divides by sqrt(abar), 4e-5 at the least: 1e-16 / 4e-5, with room.
    torch.testing.assert_close(estimates[0], x0, rtol=0, atol=1e-10)
    torch.testing.assert_close(estimates[1], eps, rtol=0, atol=1e-10)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_the_conversion_fits_any_output_to_xt(prediction: Prediction) -> None:
    noise_schedule = schedule.make("cosine", 400)
    _, output, t, xt = noised(noise_schedule)
    x0, eps = noise_schedule.x0_eps(output, xt, t, prediction)
    torch.testing.assert_close(noise_schedule.add_noise(x0, eps, t), xt, rtol=0, atol=1e-10)
    torch.testing.assert_close(
        noise_schedule.target(x0, eps, t, prediction), output, rtol=0, atol=1e-10
    )


def test_an_x0_output_at_low_noise_still_fits_xt() -> None:
    noise_schedule = schedule.make("cosine", 1000)
    output, xt = (torch.randn(2, 3, 4, 4, dtype=torch.float64) for _ in range(2))
    assert (1 - noise_schedule.abar[0]).sqrt() < LEAST_NOISE
    x0, eps = noise_schedule.x0_eps(output, xt, 0, "x0")
    t = torch.zeros(2, dtype=torch.int64)
    torch.testing.assert_close(noise_schedule.add_noise(x0, eps, t), xt, rtol=0, atol=1e-10)
    assert ((x0 - xt).abs() < (output - xt).abs()).all()  # moved towards xt


def test_a_scalar_time_equals_a_time_for_each_image() -> None:
    noise_schedule = schedule.make("cosine", 400)
    _, output, _, xt = noised(noise_schedule)
    alone = noise_schedule.x0_eps(output, xt, 123, "v")
    repeated = noise_schedule.x0_eps(output, xt, torch.full((len(xt),), 123), "v")
    assert all(torch.equal(a, b) for a, b in zip(alone, repeated, strict=True))


def test_noise_keeps_unit_variance_and_the_type_of_the_images() -> None:
    noise_schedule = schedule.make("linear", 1000)
    signal, noise = noise_schedule.signal_noise(torch.arange(1000), torch.zeros(1000, 3, 4, 4))
    assert signal.shape == noise.shape == (1000, 1, 1, 1)
    assert signal.dtype == torch.float32
    # Two roundings to float32 of numbers below 1, squared: 4 x 6e-8.
    torch.testing.assert_close(signal**2 + noise**2, torch.ones(1000, 1, 1, 1), rtol=0, atol=3e-7)

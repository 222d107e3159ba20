"""Heun's method agrees with diffusers, converges at second order, and stays in range."""

from collections.abc import Callable

import pytest
import torch
from diffusers import HeunDiscreteScheduler
from torch import Tensor

from hw2.diffusion import schedule
from hw2.diffusion.guidance import Guidance, guided
from hw2.diffusion.network_calls import NetworkCalls
from hw2.diffusion.samplers import loop
from hw2.diffusion.schedule import Prediction, Schedule

T = 1000
LINEAR, COSINE = schedule.make("linear", T), schedule.make("cosine", T)
NAMES = {"eps": "epsilon", "v": "v_prediction"}
Output = Callable[[Tensor, Tensor], Tensor]

# A warning of diffusers about NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def start(dtype: torch.dtype) -> Tensor:
    stream = torch.Generator().manual_seed(5)
    return torch.randn((4, 3, 5, 5), generator=stream, dtype=torch.float64).to(dtype)


def network(noise_schedule: Schedule, prediction: Prediction, reach: float) -> Output:
    """A smooth estimate of x0 in +-`reach` that depends on the images and the time."""

    def output(xt: Tensor, t: Tensor) -> Tensor:
        signal, noise = noise_schedule.signal_noise(t, xt)
        time = (t / noise_schedule.timesteps).reshape(-1, 1, 1, 1)
        x0 = reach * torch.tanh(0.6 * xt.roll(1, 3) + 0.3 * xt + time).to(xt)
        eps = (xt - signal * x0) / noise
        return eps if prediction == "eps" else signal * eps - noise * x0

    return output


def heun(
    output: Output, noise_schedule: Schedule, prediction: Prediction, x: Tensor, steps: int
) -> Tensor:
    return loop.final(
        loop.sample(output, noise_schedule, prediction, x, sampler="heun", steps=steps)
    )


@pytest.mark.parametrize("prediction", ["eps", "v"])
@pytest.mark.parametrize("steps", [5, 12, 50])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reach", [0.8, 1.6], ids=["inside", "clipped"])
def test_heun_matches_diffusers(
    prediction: Prediction, steps: int, dtype: torch.dtype, reach: float
) -> None:
    output = network(LINEAR, prediction, reach)
    scheduler = HeunDiscreteScheduler(
        T,
        prediction_type=NAMES[prediction],
        timestep_spacing="trailing",
        clip_sample=True,
        clip_sample_range=1.0,
    )
    scheduler.alphas_cumprod = LINEAR.abar
    scheduler.set_timesteps(steps)
    images = start(torch.float64) / LINEAR.abar[-1].sqrt()  # theirs are not scaled by the signal
    for t in scheduler.timesteps:
        scaled = scheduler.scale_model_input(images, t)
        moment = torch.full((len(images),), int(t))
        images = scheduler.step(output(scaled, moment), t, images).prev_sample
    sampled = heun(output, LINEAR, prediction, start(dtype), steps)
    assert sampled.dtype == dtype
    torch.testing.assert_close(sampled.double(), images, rtol=0, atol=1e-4)


def test_the_error_falls_to_a_quarter_with_twice_the_steps() -> None:
    """For Gaussian data, whose exact solution is known; half way, as the last step is Euler's."""
    std = 0.25
    noise_schedule = schedule.make("linear", 960)

    def output(xt: Tensor, t: Tensor) -> Tensor:
        signal, noise = noise_schedule.signal_noise(t, xt)
        x0 = signal * std**2 / (signal**2 * std**2 + noise**2) * xt
        return (signal * xt - x0) / noise

    errors = []
    for steps in (40, 80):
        x = torch.full((1, 1, 1, 1), 0.5, dtype=torch.float64)
        states = list(loop.sample(output, noise_schedule, "v", x, sampler="heun", steps=steps))
        state = states[steps // 2]
        scale = [
            (a * std**2 + 1 - a).sqrt()
            for a in (noise_schedule.abar[-1], noise_schedule.abar[state.t])
        ]
        errors.append(state.images.item() / 0.5 - (scale[1] / scale[0]).item())
    assert 0.2 < errors[1] / errors[0] < 0.3


def test_the_cosine_schedule_does_not_leave_the_range_of_images() -> None:
    states = loop.sample(
        network(COSINE, "v", 0.8), COSINE, "v", start(torch.float32), sampler="heun", steps=8
    )
    assert max(state.images.abs().max().item() for state in states) < 5


@pytest.mark.parametrize(("steps", "evaluations"), [(1, 1), (12, 23)])
def test_every_step_except_the_last_evaluates_twice(steps: int, evaluations: int) -> None:
    calls = NetworkCalls()
    counted = calls.counted(lambda xt, t, labels: 0.1 * xt)
    output = guided(counted, torch.zeros(4, dtype=torch.int64), Guidance(1.0), 20, 1000)
    heun(output, LINEAR, "v", start(torch.float32), steps)
    assert calls.per_image(4) == evaluations

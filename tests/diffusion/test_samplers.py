"""The sampling loop with each sampler: they agree with diffusers, and recover Gaussian data."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler
from torch import Tensor

from hw2.config.choices import SAMPLERS, TimestepSpacing
from hw2.diffusion import schedule
from hw2.diffusion.samplers import loop, registry
from hw2.diffusion.samplers.base import Estimate
from hw2.diffusion.samplers.timesteps import spaced_timesteps
from hw2.diffusion.schedule import Prediction, Schedule

# A warning of diffusers about NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

T = 1000
SHAPE = (4, 3, 5, 5)
SCHEDULES = {"linear": schedule.make("linear", T), "cosine": schedule.make("cosine", T)}
COSINE = SCHEDULES["cosine"]
THEIR_NAME = {"eps": "epsilon", "v": "v_prediction"}

# In float32, as samplers run, both sides agree within 1e-4. Left out is
# eps with the cosine schedule: sqrt(abar[T-1]) is 5e-5 there, and float32's own 6e-8 becomes 1e-3
# when x0 is divided by it. In float64 that case is compared too, and nothing but the rounding of a
# float64 may be left.
CASES = [
    pytest.param(kind, prediction, dtype, tolerance, id=f"{kind}-{prediction}-{str(dtype)[6:]}")
    for kind in SCHEDULES
    for prediction in ("eps", "v")
    for dtype, tolerance in ((torch.float32, 1e-4), (torch.float64, 1e-9))
    if (kind, prediction, dtype) != ("cosine", "eps", torch.float32)
]
cases = pytest.mark.parametrize(("kind", "prediction", "dtype", "tolerance"), CASES)

Output = Callable[[Tensor, Tensor], Tensor]


def randn(*names: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Noise of `SHAPE` from a stream of its own."""
    stream = torch.Generator().manual_seed(hash(names))
    return torch.randn(SHAPE, generator=stream, dtype=torch.float64).to(dtype)


def network(noise_schedule: Schedule, prediction: Prediction, reach: float = 0.8) -> Output:
    """A made-up network whose estimate of x0 depends on xt and t and stays in +-`reach`.

    It is gentle: a steep one would turn sampling into chaos, in which rounding grows at each step.
    """

    def output(xt: Tensor, t: Tensor) -> Tensor:
        signal, noise = noise_schedule.signal_noise(t, xt)
        time = (t / noise_schedule.timesteps).reshape(-1, 1, 1, 1)
        x0 = reach * torch.tanh(0.6 * xt.roll(1, 3) + 0.3 * xt + time)
        eps = (xt - signal * x0) / noise
        return eps if prediction == "eps" else signal * eps - noise * x0

    return output


def scheduler_of_diffusers(
    scheduler_class: type, kind: str, prediction: Prediction, steps: int, **options: Any
) -> Any:
    """A scheduler of diffusers on our noise levels, at our precision."""
    common = {"prediction_type": THEIR_NAME[prediction], "timestep_spacing": "trailing"}
    scheduler = scheduler_class(T, **(common | options))
    scheduler.alphas_cumprod = SCHEDULES[kind].abar
    scheduler.set_timesteps(steps)
    return scheduler


def ours(
    output: Output,
    noise_schedule: Schedule,
    prediction: Prediction,
    sampler: str,
    steps: int,
    eta: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    return loop.final(
        loop.sample(
            output,
            noise_schedule,
            prediction,
            randn(0, dtype=dtype),
            sampler=sampler,
            steps=steps,
            eta=eta,
            noise=lambda k: randn(1, k, dtype=dtype),
        )
    )


def every(t: int | Tensor) -> Tensor:
    return torch.full((SHAPE[0],), int(t))


def assert_close(actual: Tensor, expected: Tensor, tolerance: float) -> None:
    assert actual.dtype == expected.dtype
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance)


@cases
@pytest.mark.parametrize("steps", [4, 20])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("reach", [0.8, 1.6], ids=["inside", "clipped"])
def test_ddim_matches_diffusers(
    kind: str,
    prediction: Prediction,
    dtype: torch.dtype,
    tolerance: float,
    steps: int,
    eta: float,
    reach: float,
) -> None:
    output = network(SCHEDULES[kind], prediction, reach)
    scheduler = scheduler_of_diffusers(
        DDIMScheduler,
        kind,
        prediction,
        steps,
        clip_sample=True,
        clip_sample_range=1.0,
        set_alpha_to_one=True,
    )
    images = randn(0, dtype=dtype)
    for k, t in enumerate(scheduler.timesteps):
        images = scheduler.step(
            output(images, every(t)),
            int(t),
            images,
            eta=eta,
            use_clipped_model_output=True,
            variance_noise=randn(1, k, dtype=dtype) if eta > 0 else None,
        ).prev_sample
    sampled = ours(output, SCHEDULES[kind], prediction, "ddim", steps, eta, dtype)
    assert_close(sampled, images, tolerance)


@cases
def test_ancestral_sampling_matches_diffusers(
    kind: str,
    prediction: Prediction,
    dtype: torch.dtype,
    tolerance: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reach = 0.8 if dtype == torch.float32 else 1.6  # inside [-1, 1], and clipped
    output = network(SCHEDULES[kind], prediction, reach)
    scheduler = scheduler_of_diffusers(
        DDPMScheduler,
        kind,
        prediction,
        T,
        variance_type="fixed_small",
        clip_sample=True,
        clip_sample_range=1.0,
    )
    number = iter(range(T))
    monkeypatch.setattr(
        "diffusers.schedulers.scheduling_ddpm.randn_tensor",
        lambda *_, **__: randn(1, next(number), dtype=dtype),
    )
    images = randn(0, dtype=dtype)
    for t in scheduler.timesteps:
        images = scheduler.step(output(images, every(t)), int(t), images).prev_sample
    sampled = ours(output, SCHEDULES[kind], prediction, "ddpm", T, dtype=dtype)
    assert_close(sampled, images, tolerance)


@cases
@pytest.mark.parametrize("steps", [1, 2, 7, 20])
def test_dpm_solver_matches_diffusers(
    kind: str, prediction: Prediction, dtype: torch.dtype, tolerance: float, steps: int
) -> None:
    tolerance = 1e-4  # in float64 too: diffusers keeps the sigmas of this one in float32
    output = network(SCHEDULES[kind], prediction)
    scheduler = scheduler_of_diffusers(
        DPMSolverMultistepScheduler,
        kind,
        prediction,
        steps,
        algorithm_type="dpmsolver++",
        solver_order=2,
        solver_type="midpoint",
        lower_order_final=True,
        final_sigmas_type="zero",
    )
    assert [*scheduler.timesteps.tolist(), -1] == spaced_timesteps(T, steps)
    images = randn(0, dtype=dtype)
    for t in scheduler.timesteps:
        images = scheduler.step(output(images, every(t)), t, images).prev_sample
    sampled = ours(output, SCHEDULES[kind], prediction, "dpmpp", steps, dtype=dtype)
    assert_close(sampled, images, tolerance)


@pytest.mark.parametrize("sampler", ["ddim", "dpmpp"])
def test_samplers_without_fresh_noise_are_deterministic(sampler: str) -> None:
    output = network(COSINE, "v")
    assert torch.equal(*(ours(output, COSINE, "v", sampler, 10) for _ in range(2)))


@pytest.mark.parametrize(
    ("sampler", "eta", "random"),
    [("ddpm", 0.0, True), ("ddim", 0.3, True), ("ddim", 0.0, False), ("dpmpp", 0.0, False)],
)
def test_every_step_except_the_last_takes_fresh_noise(
    sampler: str, eta: float, random: bool
) -> None:
    steps_with_noise: list[int] = []

    def noise(step: int) -> Tensor:
        steps_with_noise.append(step)
        return randn(step)

    states = list(
        loop.sample(
            network(COSINE, "v"),
            COSINE,
            "v",
            randn(0),
            sampler=sampler,
            steps=8,
            eta=eta,
            noise=noise,
        )
    )
    assert steps_with_noise == (list(range(7)) if random else [])
    assert states[-1].images.abs().max() <= 1


def test_the_states_run_from_pure_noise_to_clean_images() -> None:
    states = list(
        loop.sample(network(COSINE, "v", reach=3), COSINE, "v", randn(0), sampler="ddim", steps=5)
    )
    assert [state.t for state in states] == [999, 799, 599, 399, 199, -1]
    assert torch.equal(states[0].images, randn(0))
    assert states[-1].images.abs().max() <= 1


@pytest.mark.parametrize("timesteps", [2, 20, 400, 1000])
def test_timesteps_fall_evenly_from_the_noisiest_level(timesteps: int) -> None:
    for steps in range(1, timesteps + 1, max(1, timesteps // 60)):
        grid = spaced_timesteps(timesteps, steps)
        assert len(grid) == steps + 1
        assert grid[0] == timesteps - 1
        assert grid[-1] == -1
        assert all(a > b for a, b in pairwise(grid))
        gaps = {a - b for a, b in pairwise(grid)}
        assert max(gaps) - min(gaps) <= 2  # evenly spaced: each end is rounded to a whole step
    assert spaced_timesteps(timesteps, timesteps) == list(range(timesteps - 1, -2, -1))


@pytest.mark.parametrize("timesteps", [24, 400, 1000])
def test_an_exponent_visits_more_noisy_levels(timesteps: int) -> None:
    even, denser = (spaced_timesteps(timesteps, 24, exponent=p) for p in (1.0, 1.5))
    assert denser[0] == timesteps - 1
    assert denser[-1] == -1
    assert all(a > b for a, b in pairwise(denser))
    assert all(late >= early for late, early in zip(denser, even, strict=True))
    if timesteps == 1000:
        assert denser[:5] == [999, 990, 975, 955, 931]


def test_an_exponent_below_1_is_refused() -> None:
    with pytest.raises(ValueError, match=r"an exponent of 0\.5 below 1"):
        spaced_timesteps(1000, 24, exponent=0.5)


@pytest.mark.parametrize("steps", [0, -1, 21])
def test_a_step_count_out_of_range_is_refused(steps: int) -> None:
    with pytest.raises(ValueError, match=f"{steps} steps of 20 timesteps"):
        spaced_timesteps(20, steps)


MEAN, STD = 0.2, 0.25
"""Gaussian data inside [-1, 1]."""


def gaussian(noise_schedule: Schedule) -> Output:
    """The v that a perfect network predicts for data of N(MEAN, STD^2)."""

    def output(xt: Tensor, t: Tensor) -> Tensor:
        signal, noise = noise_schedule.signal_noise(t, xt)
        variance = signal**2 * STD**2 + noise**2
        x0 = MEAN + signal * STD**2 / variance * (xt - signal * MEAN)
        return (signal * xt - x0) / noise

    return output


def moments(timesteps: int, sampler: str, steps: int, eta: float) -> tuple[float, float]:
    """Mean and standard deviation of what a sampler makes of perfect predictions, exactly.

    With them sampling is affine in the noises, so no statistics are needed: image 0 gets no noise
    and is the mean; image j gets one unit in noise j, and moves by that noise's share. Half a unit
    keeps x0 in [-1, 1].
    """
    noise_schedule = schedule.make("cosine", timesteps)
    unit = 0.5

    def noise(number: int) -> Tensor:
        impulse = torch.zeros(steps + 1, 1, 1, 1, dtype=torch.float64)
        impulse[number] = unit
        return impulse

    states = loop.sample(
        gaussian(noise_schedule),
        noise_schedule,
        "v",
        noise(1),
        sampler=sampler,
        steps=steps,
        eta=eta,
        noise=lambda k: noise(k + 2),
    )
    ends = loop.final(states).flatten()
    assert ends.abs().max() < 1
    return ends[0].item(), ((ends[1:] - ends[0]) / unit).norm().item()


@pytest.mark.parametrize(("sampler", "eta"), [("ddpm", 0.0), ("ddim", 1.0), ("ddim", 0.0)])
def test_samplers_recover_gaussian_data(sampler: str, eta: float) -> None:
    errors = []
    for timesteps in (200, 400, 800):
        mean, std = moments(timesteps, sampler, timesteps, eta)
        assert mean == pytest.approx(MEAN, abs=0.01 * STD)
        errors.append(abs(std / STD - 1))
    assert errors[-1] < 0.01
    # What is left is the discretization, of first order: half as large with twice the timesteps.
    assert errors[1] / errors[0] == pytest.approx(0.5, abs=0.15)
    assert errors[2] / errors[1] == pytest.approx(0.5, abs=0.15)


def test_ddim_with_eta_1_equals_ancestral_sampling() -> None:
    output = network(COSINE, "v")
    assert torch.equal(
        ours(output, COSINE, "v", "ddim", 50, eta=1.0), ours(output, COSINE, "v", "ddpm", 50)
    )


@pytest.mark.parametrize(("sampler", "low", "high"), [("ddim", 0.45, 0.55), ("dpmpp", 0.2, 0.35)])
def test_the_error_falls_with_the_order_of_the_solver(
    sampler: str, low: float, high: float
) -> None:
    """With twice the steps, the error half way falls to 1/2 at order 1 and towards 1/4 at order 2.

    Half way, because the last step is of order 1 for both.
    """
    noise_schedule = schedule.make("cosine", 960)
    errors = []
    for steps in (20, 40):
        start = torch.tensor([0, 0.5], dtype=torch.float64).reshape(2, 1, 1, 1)
        states = loop.sample(
            gaussian(noise_schedule), noise_schedule, "v", start, sampler=sampler, steps=steps
        )
        half = list(states)[steps // 2]
        abar = noise_schedule.abar[half.t].item()
        still, moved = half.images.flatten().tolist()
        errors.append(abs((moved - still) / 0.5 - (abar * STD**2 + 1 - abar) ** 0.5))
    assert low < errors[1] / errors[0] < high


# What diffusers calls each grid: spacing, offset, and whether the last step ends at abar = 1.
THEIR_GRIDS = {
    "trailing": ("trailing", 0, True),
    "leading": ("leading", 0, True),
    "course": ("leading", 1, False),
}


@pytest.mark.parametrize("grid", THEIR_GRIDS)
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("reach", [0.8, 1.6], ids=["inside", "clipped"])
def test_found_32_every_spacing_matches_diffusers_with_the_noise_as_predicted(
    grid: TimestepSpacing, eta: float, reach: float
) -> None:
    noise_schedule = SCHEDULES["linear"]
    output = network(noise_schedule, "eps", reach)
    spacing, offset, ends_at_one = THEIR_GRIDS[grid]
    scheduler = scheduler_of_diffusers(
        DDIMScheduler,
        "linear",
        "eps",
        50,
        timestep_spacing=spacing,
        steps_offset=offset,
        set_alpha_to_one=ends_at_one,
        clip_sample=True,
    )
    scheduler.final_alpha_cumprod = torch.tensor(1.0) if ends_at_one else noise_schedule.abar[0]
    assert scheduler.timesteps.tolist() == spaced_timesteps(T, 50, grid)[:-1]
    images = randn(0)
    for k, t in enumerate(scheduler.timesteps):
        images = scheduler.step(
            output(images, every(t)),
            int(t),
            images,
            eta=eta,
            variance_noise=randn(1, k) if eta > 0 else None,
        ).prev_sample
    sampled = loop.final(
        loop.sample(
            output,
            noise_schedule,
            "eps",
            randn(0),
            sampler="ddim",
            steps=50,
            spacing=grid,
            eta=eta,
            noise=lambda k: randn(1, k),
            use_clipped_model_output=False,
        )
    )
    assert_close(sampled, images, 1e-4)


def test_the_timesteps_of_the_course_spacing() -> None:
    assert spaced_timesteps(1000, 50, "course") == [*range(981, 0, -20), 0]
    assert spaced_timesteps(1000, 50, "leading") == [*range(980, -1, -20), -1]
    assert spaced_timesteps(1000, 1, "course") == [1, 0]
    assert spaced_timesteps(1000, 500, "course") == [*range(999, 0, -2), 0]
    with pytest.raises(ValueError, match="501 steps of 1000 timesteps"):
        spaced_timesteps(1000, 501, "course")


def test_eta_1_over_all_steps_has_the_mean_and_variance_of_ddpm() -> None:
    """Of every step: q(xs | xt, x0) of DDPM, equations 6 and 7, from eps, for Gaussian data."""
    noise_schedule = SCHEDULES["linear"]
    data = torch.Generator().manual_seed(3)
    x0 = (0.2 + 0.25 * torch.randn((1, 1, 100, 100), generator=data)).double().clamp(-1, 1)
    for t in (1, 10, 500, 999):
        abar, before = noise_schedule.abar[t], noise_schedule.abar[t - 1]
        eps = torch.randn(x0.shape, generator=data).double()
        xt = noise_schedule.add_noise(x0, eps, torch.tensor([t]))
        fresh = torch.randn(x0.shape, generator=data).double()
        sampler = registry.make("ddim", noise_schedule, 1.0)
        assert sampler.uses_noise
        estimate = Estimate(x0, eps)
        stepped = sampler.step(lambda x, t, estimate=estimate: estimate, xt, t, t - 1, fresh)
        beta = 1 - abar / before
        mean = (before.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - before) * xt) / (1 - abar)
        deviation = (beta * (1 - before) / (1 - abar)).sqrt()
        torch.testing.assert_close(stepped, mean + deviation * fresh, rtol=0, atol=1e-9)
        assert stepped.std() == pytest.approx(  # and so the images keep the noise level of s
            (before * x0.var() + 1 - before).sqrt().item(), rel=0.05
        )


def test_the_registry_implements_the_names_that_params_yaml_accepts() -> None:
    assert list(registry.REGISTRY) == list(SAMPLERS)

"""Image k of a label depends on the seed, the split, the label and k, and on nothing else."""

from typing import Any

import numpy as np
import pytest
import torch

from hw2.config import params
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import SampleRequest, request_all_labels, sample_images, sampling_states
from hw2.diffusion.guidance import Guidance
from hw2.digits.labels import label_of

REQUEST = SampleRequest(np.array([0, 0, 5, 12, 12, 19, 3]), np.array([0, 1, 0, 4, 2, 0, 0]))
SAMPLERS = pytest.mark.parametrize("sampler", ["ddpm", "ddim", "dpmpp"])


def sampling(mini: params.Params, **values: Any) -> params.Sampling:
    return mini.ddpm.sampling.model_copy(update={"steps": 4, "eta": 0.5, **values})


def sampled(
    model: Denoiser,
    how: params.Sampling,
    request: SampleRequest = REQUEST,
    guidance_scale: float = 3.0,
    split: str = "test",
) -> np.ndarray:
    return sample_images(model, request, how, guidance=Guidance(guidance_scale), split=split)


def max_difference(first: np.ndarray, second: np.ndarray) -> int:
    """The largest difference of pixels, of 255."""
    return int(np.abs(first.astype(int) - second.astype(int)).max())


@SAMPLERS
def test_row_59_images_do_not_depend_on_the_batch_size(
    model: Denoiser, mini: params.Params, sampler: str
) -> None:
    whole = sampled(model, sampling(mini, sampler=sampler, batch_size=100))
    for batch in (1, 3):
        chunked = sampled(model, sampling(mini, sampler=sampler, batch_size=batch))
        # Float32 sums in another order may round differently.
        assert max_difference(whole, chunked) <= 1


@pytest.mark.parametrize("batch_size", [3, 100])
def test_row_60_images_have_the_same_bytes_for_any_number_of_threads(
    model: Denoiser, mini: params.Params, batch_size: int
) -> None:
    how, images = sampling(mini, batch_size=batch_size), []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        images.append(sampled(model, how))
    assert all(np.array_equal(images[0], others) for others in images[1:])


@SAMPLERS
def test_an_image_sampled_alone_has_the_same_noise_and_is_within_1e_5(
    model: Denoiser, mini: params.Params, sampler: str
) -> None:
    how = sampling(mini, sampler=sampler)
    whole = list(sampling_states(model, REQUEST, how, guidance=Guidance(3.0), split="test"))
    for k in range(len(REQUEST.labels)):
        single = SampleRequest(REQUEST.labels[k : k + 1], REQUEST.index[k : k + 1])
        alone = list(sampling_states(model, single, how, guidance=Guidance(3.0), split="test"))
        assert torch.equal(whole[0].images[k], alone[0].images[0])
        torch.testing.assert_close(whole[-1].images[k], alone[-1].images[0], rtol=0, atol=1e-5)


@SAMPLERS
def test_images_do_not_depend_on_the_other_labels_of_the_request(
    model: Denoiser, mini: params.Params, sampler: str
) -> None:
    how = sampling(mini, sampler=sampler)
    among = sampled(model, how)[4]
    other = sampled(model, how, SampleRequest(np.array([12, 7]), np.array([2, 9])))[0]
    assert max_difference(among, other) <= 1


def test_label_index_seed_and_split_change_the_noise_unless_labels_share_it(
    model: Denoiser, mini: params.Params
) -> None:
    def first(label: int, index: int, split: str, seed: int, shared: int = 0) -> bytes:
        request = SampleRequest(np.array([label]), np.array([index]), shared)
        how = sampling(mini, seed=seed)
        state = next(sampling_states(model, request, how, guidance=Guidance(1.0), split=split))
        return state.images.contiguous().numpy().tobytes()

    noises = [
        first(3, 0, "test", 1),
        first(3, 1, "test", 1),
        first(3, 0, "val", 1),
        first(3, 0, "test", 2),
        first(14, 0, "test", 1),
        first(3, 0, "test", 1, shared=1),
    ]
    assert len(set(noises)) == len(noises)
    assert noises[0] == first(3, 0, "test", 1)
    assert first(3, 0, "test", 1, shared=1) == first(14, 0, "test", 1, shared=1)
    assert first(3, 1, "test", 1, shared=1) == first(3, 1, "test", 1)


def test_the_split_changes_every_image(model: Denoiser, mini: params.Params) -> None:
    test, val = (sampled(model, sampling(mini), split=split) for split in ("test", "val"))
    assert (test != val).reshape(len(test), -1).any(1).all()


@pytest.mark.parametrize("guidance_scale", [1.0, 3.0, 0.0])
def test_the_guidance_scale_changes_images(
    model: Denoiser, mini: params.Params, guidance_scale: float
) -> None:
    other = sampled(model, sampling(mini), guidance_scale=guidance_scale + 1)
    assert max_difference(sampled(model, sampling(mini), guidance_scale=guidance_scale), other) > 1


def test_sampling_is_deterministic(model: Denoiser, mini: params.Params) -> None:
    how = sampling(mini, sampler="ddpm")
    assert np.array_equal(sampled(model, how), sampled(model, how))


def test_images_are_uint8_over_their_range(model: Denoiser, mini: params.Params) -> None:
    images = sampled(model, sampling(mini))
    assert images.shape == (7, 28, 28, 3)
    assert images.dtype == np.uint8
    assert images.min() < 64 < 192 < images.max()  # dark and light, not cut to a half or wrapped


def test_the_states_run_from_noise_to_an_image(model: Denoiser, mini: params.Params) -> None:
    trajectory = list(
        sampling_states(model, REQUEST, sampling(mini), guidance=Guidance(1.0), split="test")
    )
    assert [state.t for state in trajectory] == [19, 17, 12, 6, -1]  # spacing_exponent 1.5
    start = trajectory[0].images
    # Standard normal: 7 x 2,352 numbers, five standard errors.
    assert start.mean().abs() < 5 / start.numel() ** 0.5
    assert start.var() == pytest.approx(1, abs=5 * (2 / start.numel()) ** 0.5)
    assert trajectory[-1].images.abs().max() <= 1


def test_the_progress_callback_counts_every_image(model: Denoiser, mini: params.Params) -> None:
    ticks: list[int] = []
    sample_images(
        model,
        REQUEST,
        sampling(mini, batch_size=3),
        guidance=Guidance(1.0),
        split="test",
        tick=ticks.append,
    )
    assert ticks == [3, 3, 1]


@pytest.mark.parametrize("domains", [("mnistm", "svhn"), ("svhn",), ("svhn", "mnistm")])
def test_a_request_for_all_labels_has_each_equally_often(domains: tuple[str, ...]) -> None:
    request = request_all_labels(domains, 3)
    wanted = {label_of(domain, digit) for domain in domains for digit in range(10)}
    assert {(int(a), int(b)) for a, b in zip(request.labels, request.index, strict=True)} == {
        (label, k) for label in wanted for k in range(3)
    }
    assert len(request.labels) == 30 * len(domains)
    # mnistm comes first, in whatever order the domains are given.
    assert (np.diff(request.labels) >= 0).all()
    assert np.array_equal(request.domains * 10 + request.digits, request.labels)

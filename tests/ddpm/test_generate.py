"""Digits for programs: the labels that were asked for, and one line for what cannot be."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hw2.config import params
from hw2.ddpm import generate
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import SampleRequest, sample_images
from hw2.diffusion.guidance import Guidance
from hw2.runtime.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


def max_difference(first: np.ndarray, second: np.ndarray) -> int:
    """The largest difference of pixels, of 255."""
    return int(np.abs(first.astype(int) - second.astype(int)).max())


def test_defaults_are_those_of_the_committed_parameters() -> None:
    ddpm = params.load(ROOT / "params.yaml").ddpm
    assert ddpm.sampling.sampler == generate.SAMPLER
    assert ddpm.sampling.steps == generate.STEPS
    assert generate.GUIDANCE.scale in ddpm.guidance.candidates
    assert generate.GUIDANCE.interval in ddpm.guidance.intervals
    assert generate.GUIDANCE.color == ddpm.guidance.color


def test_no_parameter_file_is_needed(
    model: Denoiser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    images = generate.digits(model, "mnistm", range(10))
    assert images.shape == (10, 28, 28, 3)
    assert images.dtype == np.uint8
    assert images.std() > 10


def test_images_are_those_of_the_labels_by_digit_then_number(
    model: Denoiser, mini: params.Params
) -> None:
    guidance = Guidance(2.0, (0.2, 0.8))
    images = generate.digits(
        model, "svhn", [7, 2], count=3, guidance=guidance, seed=5, sampler="ddim", steps=4
    )
    how = mini.ddpm.sampling.model_copy(
        update={"seed": 5, "sampler": "ddim", "steps": 4, "spacing_exponent": 1.0, "eta": 0.0}
    )
    request = SampleRequest(np.array([17, 17, 17, 12, 12, 12]), np.array([0, 1, 2] * 2), shared=3)
    expected = sample_images(model, request, how, guidance=guidance, split="example")
    assert max_difference(images, expected) <= 1
    assert max_difference(images[:3], images[3:]) > 1


def test_the_seed_changes_every_image_and_the_same_seed_none(model: Denoiser) -> None:
    first, other = (generate.digits(model, "mnistm", [4], count=2, seed=seed) for seed in (1, 2))
    assert (first != other).reshape(2, -1).any(1).all()
    again = generate.digits(model, "mnistm", np.array([4]), count=2, seed=1)
    assert np.array_equal(first, again)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"domain": "usps"}, "domain: the model has no 'usps'; it has svhn"),
        ({"domain": "mnistm"}, "domain: the model has no 'mnistm'"),
        ({"digits": [3, 10]}, "digits: 10 is not in 0 ... 9"),
        ({"digits": [0.5]}, "digits: 0.5 is not in"),
        ({"digits": []}, "digits: there is none"),
        ({"count": 0}, "count: 0 is less than 1"),
        ({"seed": -1}, "seed: -1 is not allowed"),
        ({"sampler": "dpmp"}, "did you mean 'dpmpp'"),
        ({"steps": 0}, "steps: 0 is not allowed"),
        ({"steps": 21}, "steps: 21 is more than the model's 20 levels"),
    ],
)
def test_what_cannot_be_sampled_is_one_line(
    model: Denoiser, arguments: dict[str, Any], message: str
) -> None:
    asked: dict[str, Any] = {"domain": "svhn", "digits": [3]} | arguments
    with pytest.raises(UserError) as caught:
        generate.digits(replace(model, domains=("svhn",)), **asked)
    assert message in str(caught.value)
    assert str(caught.value).startswith("generate.digits: ")
    assert "\n" not in str(caught.value)

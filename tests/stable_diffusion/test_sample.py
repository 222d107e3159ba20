"""An image depends on its prompt, its stream and its number, not on the images sampled with it."""

from pathlib import Path

import numpy as np
import torch

from hw2.config import params
from hw2.stable_diffusion import load, sample
from hw2.stable_diffusion.sample import SampleRequest

CPU = torch.device("cpu")


def test_an_image_does_not_depend_on_its_batch(
    stable_diffusion: params.StableDiffusion, mini: params.Params, v1: Path
) -> None:
    pipe = load.load(stable_diffusion, v1, CPU)
    settings = mini.personalization.sampling.model_copy(update={"steps": 2, "batch_size": 2})
    requests = [SampleRequest("a red circle", "test", number) for number in (0, 1, 2)]
    ticks: list[int] = []
    images = sample.sample_requests(pipe, requests, settings, seed=1, tick=ticks.append)
    assert (images.shape, images.dtype) == ((3, 64, 64, 3), np.uint8)
    assert ticks == [2, 1]
    last = sample.sample_prompt(pipe, "a red circle", [2], settings, seed=1, stream="test")
    assert np.abs(last[0].astype(int) - images[2]).max() <= 1
    assert np.abs(images[0].astype(int) - images[2]).max() > 1


def test_initial_noises_have_streams_of_their_own(
    stable_diffusion: params.StableDiffusion, v1: Path
) -> None:
    pipe = load.load(stable_diffusion, v1, CPU)
    noises = sample.initial_noises(pipe, 1, "test", [0, 1, 2])
    assert noises.shape == (3, 4, 8, 8)
    assert torch.equal(sample.initial_noises(pipe, 1, "test", [2])[0], noises[2])
    assert len({tuple(noise.flatten().tolist()) for noise in noises}) == 3
    assert not torch.equal(sample.initial_noises(pipe, 2, "test", [0])[0], noises[0])

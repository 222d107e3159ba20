"""Sampling from a denoiser: image k of a label depends on (seed, split, label, k) only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hw2 import rng
from hw2.config import params
from hw2.ddpm.denoiser import Denoiser
from hw2.diffusion.guidance import Guidance, guided
from hw2.diffusion.network_calls import NetworkCalls
from hw2.diffusion.samplers import loop
from hw2.diffusion.samplers.loop import State
from hw2.digits.labels import LABELED_DOMAINS, NUM_DIGITS, NUM_LABELS, label_of
from hw2.pixels import to_uint8
from hw2.training.parallel import map_batches
from hw2.training.precision import autocast

SHAPE = (3, 28, 28)


@dataclass(frozen=True)
class SampleRequest:
    """Which images to sample.

    Attributes:
        labels: int64 (N,), the label of each image.
        index: int64 (N,), the number k of each image among those of its label.
        shared: Images k < `shared` of all labels start from the same noise, k. Every other image
            has a noise of its own, so that a measure of N images is not one of a few noises.
    """

    labels: np.ndarray
    index: np.ndarray
    shared: int = 0

    @property
    def digits(self) -> np.ndarray:
        return self.labels % NUM_DIGITS

    @property
    def domains(self) -> np.ndarray:
        """Indices into `labels.LABELED_DOMAINS`."""
        return self.labels // NUM_DIGITS


def request_all_labels(domains: tuple[str, ...], count: int, *, shared: int = 0) -> SampleRequest:
    """`count` images of each digit of each domain: by domain, then digit, then k."""
    labels = [
        label_of(domain, digit)
        for domain in LABELED_DOMAINS
        if domain in domains
        for digit in range(NUM_DIGITS)
    ]
    index = np.tile(np.arange(count), len(labels))
    return SampleRequest(np.repeat(np.array(labels), count), index, shared)


def sample_images(
    denoiser: Denoiser,
    request: SampleRequest,
    sampling: params.Sampling,
    *,
    guidance: Guidance,
    split: str,
    calls: NetworkCalls | None = None,
    tick: Callable[[int], None] = lambda images: None,
) -> np.ndarray:
    """Sample images: uint8 (N, 28, 28, 3) in the order of the request.

    Args:
        guidance: the guidance scale, and the noise levels that it applies to.
        split: names the random streams, so that images used to choose differ from those reported.
        calls: counts the network calls.
        tick: called with the number of images finished.
    """
    starts = range(0, len(request.labels), sampling.batch_size)
    batches = [slice(start, start + sampling.batch_size) for start in starts]

    def sample_batch(batch: slice) -> np.ndarray:
        chunk = SampleRequest(request.labels[batch], request.index[batch], request.shared)
        trajectory = sampling_states(
            denoiser, chunk, sampling, guidance=guidance, split=split, calls=calls
        )
        return to_uint8(loop.final(trajectory))

    images = []
    for batch_images in map_batches(
        sample_batch, batches, next(denoiser.network.parameters()).device
    ):
        images.append(batch_images)
        tick(len(batch_images))
    return np.concatenate(images)


@torch.no_grad()
def sampling_states(
    denoiser: Denoiser,
    request: SampleRequest,
    sampling: params.Sampling,
    *,
    guidance: Guidance,
    split: str,
    calls: NetworkCalls | None = None,
) -> Iterator[State]:
    """Sample one batch, yielding its states from pure noise to clean images."""
    device = next(denoiser.network.parameters()).device
    labels = torch.from_numpy(request.labels).to(device)
    streams = [
        rng.torch_rng(sampling.seed, split, *((k,) if k < request.shared else (label, k)))
        for label, k in zip(request.labels.tolist(), request.index.tolist(), strict=True)
    ]

    def noise(step: int = 0) -> Tensor:
        # On the CPU, one stream per image: the same numbers for every batch size and device.
        stacked = torch.stack([torch.randn(SHAPE, generator=stream) for stream in streams])
        return stacked.to(device, memory_format=torch.channels_last)

    network = denoiser.network if calls is None else calls.counted(denoiser.network)
    with autocast(device, denoiser.precision):
        yield from loop.sample(
            guided(network, labels, guidance, NUM_LABELS, denoiser.schedule.timesteps),
            denoiser.schedule,
            denoiser.prediction,
            noise(),
            sampler=sampling.sampler,
            steps=sampling.steps,
            spacing_exponent=sampling.spacing_exponent,
            eta=sampling.eta,
            noise=noise,
        )

"""Training of the conditional DDPM (Ho & Salimans, 2022, algorithm 1)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hw2 import rng
from hw2.config import params
from hw2.ddpm import denoiser
from hw2.diffusion import schedule, timestep_distribution
from hw2.diffusion.timestep_distribution import Quantiles
from hw2.digits import arrays
from hw2.digits.arrays import Digits
from hw2.digits.labels import NUM_LABELS, label_of
from hw2.training.denoising import DenoisingDataset, train_denoiser
from hw2.training.equal_shares import equal_shares
from hw2.training.resume import Resume


def train_ddpm(
    ddpm: params.Ddpm, packed: Path, resume: Resume, device: torch.device
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Train on the train split of `ddpm.domains`, each of which is drawn equally often.

    Returns:
        The averaged weights and the history (rows of `step`, `loss`, `lr`).
    """
    digits = {domain: arrays.load(packed, domain, "train") for domain in ddpm.domains}
    images, labels = _images_and_labels(digits)
    dataset = DenoisingDataset(
        images,
        labels,
        null_label=NUM_LABELS,
        p_uncond=ddpm.train.p_uncond,
        schedule=schedule.make(ddpm.diffusion.schedule, ddpm.diffusion.timesteps),
        prediction=ddpm.diffusion.prediction,
        quantiles=_quantiles(ddpm.train),
        epoch=equal_shares([len(domain.digits) for domain in digits.values()]),
    )
    return train_denoiser(
        _new_network(ddpm, device),
        dataset,
        ddpm.train,
        seed=ddpm.seed,
        resume=resume,
        device=device,
        name="ddpm",
    )


def identity(ddpm: params.Ddpm, packed: Path) -> dict[str, Any]:
    """The parameters and data that identify this training, without how often it is saved."""
    described = ddpm.model_dump(
        mode="json",
        include={"seed", "domains", "network", "diffusion", "train"},
        exclude={"train": {"save_every"}},
    )
    return {"ddpm": described, "data": arrays.fingerprint(packed, ddpm.domains, "train")}


def _images_and_labels(digits: Mapping[str, Digits]) -> tuple[np.ndarray, Tensor]:
    """Images uint8 (N, 28, 28, 3) and labels int64 (N,) of all domains, one after the other."""
    labels = [data.digits + label_of(domain, 0) for domain, data in digits.items()]
    images = np.concatenate([data.rgb for data in digits.values()])
    return images, torch.from_numpy(np.concatenate(labels))


def _quantiles(train: params.DdpmTrain) -> Quantiles:
    if train.timestep_distribution == "uniform":
        return timestep_distribution.uniform
    return timestep_distribution.logit_normal(train.logit_mean, train.logit_std)


def _new_network(ddpm: params.Ddpm, device: torch.device) -> nn.Module:
    with rng.seeded_init(ddpm.seed, "initial weights"):
        network = denoiser.build(ddpm.network, ddpm.diffusion.timesteps)
    layout = torch.channels_last if ddpm.train.channels_last else torch.contiguous_format
    return network.to(device).to(memory_format=layout)

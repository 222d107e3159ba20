"""The classifier of a pair of domains: normalization, extractor, label head, and its file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hw2.config import params
from hw2.dann.pairs import Pair
from hw2.digits.labels import NUM_DIGITS
from hw2.io import checkpoints
from hw2.models.feature_extractor import NUM_DOMAINS, Extractor, GaninExtractor, label_head
from hw2.pixels import from_uint8

BATCH_SIZE = 500  # outside training
_MIN_STD = 1e-2  # so that the noise of a blank image is not amplified


class InputNormalization(nn.Module):
    """Subtracts the mean and divides by the standard deviation of each image, or of its domain.

    A domain's mean and standard deviation are buffers by domain index, which the checkpoint holds.

    Args:
        kind: `instance` or `domain`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.register_buffer("mean", torch.zeros(NUM_DOMAINS, 3))
        self.register_buffer("std", torch.ones(NUM_DOMAINS, 3))

    def measure(self, images: np.ndarray, domain: int) -> None:
        """Store the channels' mean and standard deviation of uint8 images (N, H, W, 3).

        It does nothing unless the kind is `domain`. A thousand images are read at a time, because
        floats take eight times the memory.
        """
        if self.kind != "domain":
            return
        sums = np.zeros((2, 3))
        for start in range(0, len(images), 1000):
            pixels = images[start : start + 1000].reshape(-1, 3) / 127.5 - 1
            sums += [pixels.sum(0), (pixels**2).sum(0)]
        mean, square = sums / (images.size / 3)
        self.mean[domain] = torch.tensor(mean)
        self.std[domain] = torch.tensor(square - mean**2).sqrt().clamp(min=_MIN_STD)

    def forward(self, images: Tensor, domain: int) -> Tensor:
        """Normalize float (N, 3, H, W) in [-1, 1], all of one domain."""
        if self.kind == "domain":
            mean, std = self.mean[domain].view(1, 3, 1, 1), self.std[domain].view(1, 3, 1, 1)
        else:
            var, mean = torch.var_mean(images.flatten(1), 1, correction=0)
            mean, std = mean.view(-1, 1, 1, 1), var.sqrt().view(-1, 1, 1, 1).clamp(min=_MIN_STD)
        return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


class Classifier(nn.Module):
    """Images float (N, 3, 28, 28) in [-1, 1], all of one domain, to logits (N, 10).

    Args:
        network: Section `dann.network`.
        extractor: Kind of feature extractor: `shared`, or `ganin` for the paper's.
    """

    def __init__(self, network: params.DannNetwork, extractor: str = "shared") -> None:
        super().__init__()
        self.normalization = InputNormalization(network.input)
        self.extractor = (
            GaninExtractor() if extractor == "ganin" else Extractor(network.base_channels)
        )
        self.head = label_head(self.extractor.features, NUM_DIGITS)

    def features(self, images: Tensor, domain: int) -> Tensor:
        """Features (N, F)."""
        return self.joint_features([(domain, images)], domain)

    def joint_features(self, groups: Sequence[tuple[int, Tensor]], domain: int) -> Tensor:
        """Features (N, F) of all images of `groups`, which share a pass of the extractor.

        Args:
            groups: Images (n, 3, 28, 28) with the index of their domain, whose normalization of
                pixels they get.
            domain: Index of the statistics that batch normalization uses and updates.
        """
        normalized = [self.normalization(images, own) for own, images in groups]
        return self.extractor(torch.cat(normalized), domain)

    def forward(self, images: Tensor, domain: int) -> Tensor:
        """Logits (N, 10)."""
        return self.head(self.features(images, domain))


@dataclass(frozen=True)
class Trained:
    """A trained classifier with the domains and the method of its training."""

    network: Classifier
    pair: Pair
    method: str

    @torch.no_grad()
    def outputs(self, images: np.ndarray, domain: str) -> tuple[np.ndarray, np.ndarray]:
        """Features float32 (N, F) and logits float32 (N, 10) of images of one domain.

        Args:
            images: uint8 (N, 28, 28, 3), N >= 1.
            domain: Name of the domain. Only a classifier of a single domain reads other ones.
        """
        device = self.network.head.weight.device
        index = self.pair.index(domain)
        batches = [
            self.network.features(from_uint8(images[start : start + BATCH_SIZE]).to(device), index)
            for start in range(0, len(images), BATCH_SIZE)
        ]
        features = torch.cat(batches)
        return features.cpu().numpy(), self.network.head(features).cpu().numpy()

    def predict(self, images: np.ndarray, domain: str) -> np.ndarray:
        """Digits int64 (N,) of the images that `outputs` takes."""
        return self.outputs(images, domain)[1].argmax(1)


def save(
    path: Path,
    weights: dict[str, Tensor],
    network: params.DannNetwork,
    extractor: str,
    pair: Pair,
    method: str,
) -> None:
    """Write a checkpoint that describes its network, its domains and its method."""
    record = {
        "trained_on": pair.name,
        "method": method,
        "network": network.model_dump(mode="json"),
        "extractor": extractor,
    }
    checkpoints.save(path, "dann", record, weights)


def load(path: Path, device: torch.device) -> Trained:
    """Read a checkpoint, ready to classify on `device`.

    Raises:
        UserError: if the file is missing, damaged, or not a checkpoint of `dann_train`.
    """
    trained = checkpoints.load(path, "dann", _build, stage="dann_train")
    network = trained.network.to(device).to(memory_format=torch.channels_last)
    network.eval().requires_grad_(False)
    return trained


def _build(record: dict[str, Any], weights: dict[str, Tensor]) -> Trained:
    shape = params.DannNetwork.model_validate(record["network"])
    network = Classifier(shape, record["extractor"])
    network.load_state_dict(weights)
    return Trained(network, Pair.parse(record["trained_on"]), str(record["method"]))

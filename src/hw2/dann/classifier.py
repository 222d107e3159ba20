"""The classifier of a pair of domains: input units, extractor, label head, and its file."""

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
from hw2.models.feature_extractor import SLOTS, Extractor, GaninExtractor, label_head
from hw2.pixels import from_uint8

BATCH = 500  # images at a time, outside training
_FLAT = 1e-2  # the least spread of an image: noise of a blank one is not blown up


class Units(nn.Module):
    """Pixels in [-1, 1] to units of their own image, or of their domain's mean and spread.

    The domain's are buffers by slot, so that a file knows them and no domain takes the other's.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.register_buffer("mean", torch.zeros(SLOTS, 3))
        self.register_buffer("spread", torch.ones(SLOTS, 3))

    def measure(self, images: np.ndarray, slot: int) -> None:
        """Take the channels' mean and spread of a slot from uint8 (N, H, W, 3), where they are
        used; a thousand images at a time, because floats take eight times the room."""
        if self.kind != "domain":
            return
        sums = np.zeros((2, 3))
        for at in range(0, len(images), 1000):
            pixels = images[at : at + 1000].reshape(-1, 3) / 127.5 - 1
            sums += [pixels.sum(0), (pixels**2).sum(0)]
        mean, square = sums / (images.size / 3)
        self.mean[slot] = torch.tensor(mean)
        self.spread[slot] = torch.tensor(square - mean**2).sqrt().clamp(min=_FLAT)

    def forward(self, images: Tensor, slot: int) -> Tensor:
        if self.kind == "domain":
            mean, spread = self.mean[slot].view(1, 3, 1, 1), self.spread[slot].view(1, 3, 1, 1)
        else:
            var, mean = torch.var_mean(images.flatten(1), 1, correction=0)
            mean, spread = mean.view(-1, 1, 1, 1), var.sqrt().view(-1, 1, 1, 1).clamp(min=_FLAT)
        return ((images - mean) / spread).contiguous(memory_format=torch.channels_last)


class Classifier(nn.Module):
    """Images float (N, 3, 28, 28) in [-1, 1], all of the domain of `slot`, to logits (N, 10)."""

    def __init__(self, network: params.AdaptationNetwork, kind: str = "shared") -> None:
        super().__init__()
        self.units = Units(network.input)
        self.extractor = GaninExtractor() if kind == "ganin" else Extractor(network.width)
        self.head = label_head(self.extractor.features, NUM_DIGITS)

    def features(self, images: Tensor, slot: int) -> Tensor:
        """Features (N, F)."""
        return self.extractor(self.units(images, slot), slot)

    def forward(self, images: Tensor, slot: int) -> Tensor:
        return self.head(self.features(images, slot))


@dataclass(frozen=True)
class Trained:
    """A classifier with what its file says of it."""

    network: Classifier
    pair: Pair
    method: str

    @torch.no_grad()
    def look(self, images: np.ndarray, domain: str) -> tuple[np.ndarray, np.ndarray]:
        """Features float32 (N, F) and logits float32 (N, 10) of uint8 (N, 28, 28, 3), N >= 1, all
        of one domain of the pair."""
        device = self.network.head.weight.device
        slot = self.pair.slots.index(domain)
        parts = [
            self.network.features(from_uint8(images[at : at + BATCH]).to(device), slot)
            for at in range(0, len(images), BATCH)
        ]
        features = torch.cat(parts)
        return features.cpu().numpy(), self.network.head(features).cpu().numpy()

    def read(self, images: np.ndarray, domain: str) -> np.ndarray:
        """Digits int64 (N,), as `look`."""
        return self.look(images, domain)[1].argmax(1)


def save(
    path: Path, weights: dict[str, Tensor], dann: params.Dann, pair: Pair, method: str
) -> None:
    """Write a checkpoint that describes itself."""
    record = {
        "pair": pair.name,
        "method": method,
        "network": dann.network.model_dump(mode="json"),
        "kind": kind_of(dann, method),
    }
    checkpoints.save(path, "dann", record, weights)


def kind_of(dann: params.Dann, method: str) -> str:
    """The network of a row: only the faithful DANN may have another."""
    return dann.faithful.network if method == "dann" else "shared"


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
    shape = params.AdaptationNetwork.model_validate(record["network"])
    network = Classifier(shape, record["kind"])
    network.load_state_dict(weights)
    return Trained(network, Pair.parse(record["pair"]), str(record["method"]))

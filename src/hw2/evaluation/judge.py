"""The judge: the classifiers that read generated digits, one for each domain.

By default one network, trained on the real images of the train split, reads all domains. Where the
course's `Classifier.pth` is configured, that network reads MNIST-M, as in the course's grader.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from hw2.evaluation.intervals import Estimate, proportion
from hw2.io import checkpoints, torch_files
from hw2.models.judge import CourseClassifier, DigitNet
from hw2.pixels import from_uint8
from hw2.runtime.device import one_thread
from hw2.runtime.errors import UserError

_TRAINED, _COURSE = "judge.safetensors", "mnistm.safetensors"
_BATCH = 500
Network = TypeVar("Network", DigitNet, CourseClassifier)


@dataclass(frozen=True)
class Judge:
    """Digit classifiers by domain.

    Attributes:
        shared: reads every domain that has no network in `own`.
        own: domain name to its network.
    """

    shared: DigitNet
    own: dict[str, CourseClassifier]

    def read(self, images: np.ndarray, domain: str) -> np.ndarray:
        """The digits that the judge reads in images uint8 (N, 28, 28, 3): int64 (N,)."""
        network = self._network(domain)
        return self._batched(lambda x: network(x).argmax(1), images, network)

    def embed(self, images: np.ndarray, domain: str) -> np.ndarray:
        """The features before the last layer: float32 (N, F); F depends on the domain's network."""
        network = self._network(domain)
        return self._batched(network.embed, images, network)

    def _network(self, domain: str) -> DigitNet | CourseClassifier:
        return self.own.get(domain, self.shared)

    @staticmethod
    @torch.no_grad()
    def _batched(
        compute: Callable[[Tensor], Tensor], images: np.ndarray, network: nn.Module
    ) -> np.ndarray:
        device = next(network.parameters()).device
        with one_thread():
            outputs = [
                compute(from_uint8(images[at : at + _BATCH]).to(device)).cpu()
                for at in range(0, len(images), _BATCH)
            ]
        return torch.cat(outputs).numpy()

    def right(
        self, images: np.ndarray, digits: np.ndarray, domains: np.ndarray, names: tuple[str, ...]
    ) -> np.ndarray:
        """Whether each image is read as its digit: bool (N,).

        Args:
            images: uint8 (N, 28, 28, 3).
            digits: int (N,), the true digits.
            domains: int (N,), indices into `names`.
        """
        right = np.zeros(len(images), bool)
        for index in np.unique(domains):
            mask = domains == index
            right[mask] = self.read(images[mask], names[index]) == digits[mask]
        return right

    def accuracy(self, images: np.ndarray, digits: np.ndarray, domain: str) -> Estimate:
        """Share of images of one domain that are read as their digit."""
        return proportion(self.read(images, domain) == digits)


def save_judge(folder: Path, shared: nn.Module, course: nn.Module | None) -> None:
    """Write the judge's networks into `folder`, which exists."""
    networks = {_TRAINED: shared} if course is None else {_TRAINED: shared, _COURSE: course}
    for name, network in networks.items():
        record = {"network": type(network).__name__}
        checkpoints.save(folder / name, "judge", record, network.state_dict())


def load_judge(folder: Path, device: torch.device) -> Judge:
    """Read the judge.

    Raises:
        UserError: if a file is missing, damaged, or not a checkpoint of `judge_train`.
    """
    shared = _read(folder / _TRAINED, DigitNet)
    own: dict[str, CourseClassifier] = {}
    if (folder / _COURSE).exists():
        own["mnistm"] = _read(folder / _COURSE, CourseClassifier)
    for network in (shared, *own.values()):
        network.to(device).eval().requires_grad_(False)
    return Judge(shared, own)


def _read(path: Path, kind: type[Network]) -> Network:
    def build(record: dict[str, Any], weights: dict[str, Tensor]) -> Network:
        network = kind()
        if record["network"] != kind.__name__:
            raise ValueError(f"it holds a {record['network']}, not a {kind.__name__}")
        network.load_state_dict(weights)
        return network

    return checkpoints.load(path, "judge", build, stage="judge_train")


def load_course_classifier(path: Path) -> CourseClassifier:
    """Read the course's `Classifier.pth`: a dict whose `state_dict` holds the LeNet's ten tensors.

    Raises:
        UserError: if the file does not hold that.
    """
    network = CourseClassifier()
    remedy = "give the course's Classifier.pth as judge.course_classifier, or null to train a judge"
    saved: Any = torch_files.load(path, remedy)
    try:
        network.load_state_dict(saved["state_dict"])
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{path}: weights of another network ({reason[:80]}); {remedy}") from error
    return network

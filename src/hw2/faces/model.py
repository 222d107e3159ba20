"""A face model of any origin: network, noise schedule and size, and its file.

The file is a safetensors file with the weights, the noise schedule as `abar`, and in the metadata
what is needed to build the network. The training writes such a file; the course's `UNet.pt` and
models of diffusers are converted to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from hw2.diffusion.schedule import Prediction, Schedule
from hw2.io import checkpoints
from hw2.models.course_unet import SIDE, CourseUNet

_WEIGHTS = "network."
_KIND = "faces"  # key of the record


@dataclass(frozen=True)
class Blueprint:
    """Architecture of a face model.

    Attributes:
        kind: Class of the network, a function of images (N, 3, size, size) and times int64 (N,):
            the course's, or `UNet2DModel` of diffusers.
        prediction: Output of the network: eps, v or x0.
        size: Image height and width in pixels.
        config: Arguments of `UNet2DModel`; the course's network has none.
    """

    kind: Literal["course", "diffusers"]
    prediction: Prediction
    size: int
    config: Mapping[str, Any]

    def build(self) -> nn.Module:
        """Build the untrained network."""
        return CourseUNet() if self.kind == "course" else UnconditionalUNet(self.config)


COURSE = Blueprint("course", "eps", SIDE, {})


@dataclass(frozen=True)
class FaceModel:
    """A network that is ready to sample: a function of images (N, 3, size, size) and times."""

    network: nn.Module
    schedule: Schedule
    prediction: Prediction
    size: int

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        return next(self.network.parameters()).device


class UnconditionalUNet(nn.Module):
    """A `UNet2DModel` that returns a plain tensor. It ignores labels."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        from diffusers.models.unets.unet_2d import UNet2DModel  # slow to import

        self.inner = UNet2DModel.from_config(dict(config))

    def inner_weights(self) -> list[Tensor]:
        """Matrices and convolutions between the first and the last, which Muon may train."""
        blocks = ("down_blocks", "mid_block", "up_blocks")
        return [
            weight
            for name, weight in self.inner.named_parameters()
            if weight.ndim > 1 and name.startswith(blocks)
        ]

    def forward(self, xt: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.inner(xt, t).sample


def save(
    path: Path, blueprint: Blueprint, weights: Mapping[str, Tensor], schedule: Schedule
) -> None:
    """Write a model file; `weights` are of the network that the blueprint builds."""
    tensors = {f"{_WEIGHTS}{name}": value for name, value in weights.items()}
    record = {**vars(blueprint), "config": dict(blueprint.config)}
    checkpoints.save(path, _KIND, record, {**tensors, "abar": schedule.abar})


def is_own(path: Path) -> bool:
    """Whether the file has the record of a model of this project, or may have had before damage."""
    if path.suffix.lower() != ".safetensors":
        return False
    try:
        with safe_open(path, "pt") as file:
            return _KIND in (file.metadata() or {})
    except (OSError, SafetensorError):
        return True


def load(path: Path, device: torch.device) -> FaceModel:
    """Read a model file, ready to sample on `device`.

    Raises:
        UserError: if the file is missing, damaged, or of another kind.
    """

    def build(record: dict[str, Any], tensors: dict[str, Tensor]) -> FaceModel:
        blueprint, schedule = Blueprint(**record), Schedule(tensors.pop("abar"))
        weights = {name.removeprefix(_WEIGHTS): value for name, value in tensors.items()}
        return ready(build_with(blueprint, weights), blueprint, schedule, device)

    return checkpoints.load(path, _KIND, build, stage="faces_train")


def build_with(blueprint: Blueprint, weights: Mapping[str, Tensor]) -> nn.Module:
    """Build the network with these weights, which must fit; they are not copied.

    Raises:
        RuntimeError: if a weight is missing, unexpected, or of another shape.
    """
    with torch.device("meta"):  # skips the initialization of the weights
        network = blueprint.build()
    network.load_state_dict(dict(weights), assign=True)
    return network


def ready(
    network: nn.Module, blueprint: Blueprint, schedule: Schedule, device: torch.device
) -> FaceModel:
    """Move the model to its device and set it to evaluation mode."""
    network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    return FaceModel(network, schedule, blueprint.prediction, blueprint.size)

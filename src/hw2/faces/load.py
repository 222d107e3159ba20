"""A model as a person names it: our file, the course's UNet.pt, or a model of diffusers."""

from pathlib import Path

import torch

from hw2.faces import course, hub, model
from hw2.faces.model import FaceModel
from hw2.runtime.errors import UserError


def load(name: str, device: torch.device) -> FaceModel:
    """Tell by what lies there: a folder or a hub id is of diffusers, .safetensors is ours.

    Raises:
        UserError: if it is none of these.
    """
    path = Path(name)
    if path.is_file() and path.suffix == ".safetensors":
        return model.load(path, device)
    if path.is_file():
        weights, schedule = course.read(path)
        network = model.build_with(model.COURSE, weights, schedule)
        return model.ready(network, model.COURSE, schedule, device)
    if path.is_dir() or _is_id(name):
        blueprint, weights, schedule = hub.read(name, None)
        network = model.build_with(blueprint, weights, schedule)
        return model.ready(network, blueprint, schedule, device)
    raise UserError(f"{name}: no such file; give UNet.pt, a folder of diffusers, or a hub id")


def _is_id(name: str) -> bool:
    """Whether it looks like owner/model, and not like a path."""
    return name.count("/") == 1 and not name.startswith((".", "/")) and not Path(name).suffix

"""Load a face model by name: a file of this project, the course's UNet.pt, or a diffusers model."""

from pathlib import Path

import torch

from hw2.faces import course, hub, model
from hw2.faces.model import FaceModel
from hw2.io.hub import is_hub_id
from hw2.runtime.errors import UserError


def load(name: str, device: torch.device) -> FaceModel:
    """Load the model `name`, whose origin follows from the path.

    A folder or a hub id is a diffusers model, a .safetensors file with a record is one of this
    project, and any other file is the course's.

    Raises:
        UserError: if it is none of these, or cannot be read.
    """
    path = Path(name)
    if path.is_file() and model.is_own(path):
        return model.load(path, device)
    if path.is_file():
        weights, schedule = course.read(path)
        network = model.build_with(model.COURSE, weights)
        return model.ready(network, model.COURSE, schedule, device)
    if path.is_dir() or is_hub_id(name):
        blueprint, weights, schedule = hub.read(name, None)
        network = model.build_with(blueprint, weights)
        return model.ready(network, blueprint, schedule, device)
    raise UserError(f"{name}: no such file; give UNet.pt, a folder of diffusers, or a hub id")

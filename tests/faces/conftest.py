"""Small face models and noises."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hw2.config import params
from hw2.faces import model as models
from hw2.faces import noises, train
from hw2.faces.model import FaceModel

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def weights(mini: params.Params) -> dict[str, Tensor]:
    """Weights of the mini network; those that training starts at zero are random as well."""
    network = train.blueprint(mini.faces).build()
    stream = torch.Generator().manual_seed(5)
    return {
        name: value if name in ("signal", "noise")
        else 0.2 * torch.randn(value.shape, generator=stream)
        for name, value in network.state_dict().items()
    }  # fmt: skip


@pytest.fixture(scope="session")
def face(mini: params.Params, weights: dict[str, Tensor]) -> FaceModel:
    """A model that is ready to sample."""
    blueprint, levels = train.blueprint(mini.faces), train.levels(mini.faces)
    return models.ready(models.build_with(blueprint, weights), blueprint, levels, CPU)


@pytest.fixture
def noise_folder(tmp_path: Path, mini: params.Params) -> Callable[[int], Path]:
    """`noise_folder(size)` writes the ten noises of that size."""

    def write(size: int = mini.faces.image_size) -> Path:
        folder = tmp_path / f"noise{size}"
        folder.mkdir()
        noises.write(folder, noises.draw(3, size))
        return folder

    return write

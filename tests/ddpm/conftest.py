"""The mini profile of the repository, and a few packed digits to train on."""

import sys
from pathlib import Path

import pytest
import torch

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.digits import arrays, synthetic
from hw2.digits.arrays import Digits

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))  # for `interruptions`


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The train split of both domains, packed: 20 images each."""
    folder = tmp_path_factory.mktemp("packed")
    for domain in ("mnistm", "svhn"):
        arrays.save(folder, domain, "train", Digits(*synthetic.draw(domain, "train", 20, 7)))
    return folder


@pytest.fixture(scope="session")
def model(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Denoiser:
    """A denoiser with weights as after some training: nothing is zero, outputs are of size 1."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(len("model"))
        network = denoiser.build(mini.ddpm.network, mini.ddpm.diffusion.timesteps)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    denoiser.save(path, network.state_dict(), mini.ddpm)
    return denoiser.load(path, torch.device("cpu"))

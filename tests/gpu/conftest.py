"""Simulated devices."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from simulation import simulated


@pytest.fixture
def cuda() -> Iterator[torch.device]:
    """A GPU without values: everything but the backward pass."""
    with simulated(torch.device("cuda:0")) as device:
        yield device


@pytest.fixture(params=["cuda:0", "meta"])
def trainer(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    """A GPU without a backward pass, then a device with one but without autocast."""
    with simulated(torch.device(request.param)) as device:
        yield device

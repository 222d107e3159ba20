"""Simulated devices, and what tests of stages share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
SHARED = ("figures", "stable_diffusion", "stages", "training")
# The import mode `importlib` leaves this to us.
sys.path[:0] = [str(HERE), *(str(HERE.parent / name) for name in SHARED)]

from simulation import simulated  # noqa: E402
from small_v1 import checkpoint, v1  # noqa: E402, F401  (fixtures)


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

"""Where a training draws its random numbers: on its device, or on the CPU for comparison."""

import torch

from hw2 import rng
from hw2.config.schema.ranges import RandomStreams


class StepStreams:
    """A random stream for every step of a training, known by (seed, name, step) alone.

    A resumed training therefore draws what the interrupted one would have drawn.

    Args:
        where: `device` draws on the device that trains, so that nothing is copied to it. `cpu`
            draws the same numbers for every device. On a CPU both are the same.
        device: The device that trains.
    """

    def __init__(self, seed: int, name: str, where: RandomStreams, device: torch.device) -> None:
        self._seed, self._name = seed, name
        self._device = device if where == "device" else torch.device("cpu")

    def at(self, step: int, *names: int) -> torch.Generator:
        """The generator of a step; what it draws lies on `generator.device`."""
        return rng.torch_rng(self._seed, self._name, step, *names, device=self._device)

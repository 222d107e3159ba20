"""Exponential moving average of a network's weights."""

import torch
from torch import Tensor, nn


class EMA:
    """A moving average that keeps `decay` of itself at each update.

    It keeps less at the start: at most (1 + n) / (10 + n) at update n. Buffers
    (BatchNorm statistics) are copied, not averaged.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.weights = {
            name: value.detach().clone() for name, value in network.state_dict().items()
        }
        self._averaged = {name for name, _ in network.named_parameters()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        current = network.state_dict()
        names = [name for name in self.weights if name in self._averaged]
        torch._foreach_lerp_(
            [self.weights[n] for n in names], [current[n] for n in names], 1 - decay
        )
        for name in self.weights.keys() - self._averaged:
            self.weights[name].copy_(current[name])

    def state_dict(self) -> dict[str, Tensor | int | dict[str, Tensor]]:
        return {"updates": self.updates, "weights": self.weights}

    def load_state_dict(self, state: dict) -> None:  # type: ignore[type-arg]
        self.updates = state["updates"]
        for name, value in state["weights"].items():
            self.weights[name].copy_(value)

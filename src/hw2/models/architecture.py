"""The architecture of a network as a record, from which the report draws it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Layer = dict[str, Any]
"""Keys: `name`, `kind`, `input` and `output` (shapes without the batch), `parameters`, `skips`."""


@torch.no_grad()
def layers(network: nn.Module, *inputs: Any) -> list[Layer]:
    """Run a network once and record its layers in the order in which they run.

    A layer is a child module, or an item of a child that is a `ModuleList`; a network without
    children is one layer. `skips` names the earlier layers whose outputs are concatenated to the
    layer's input.

    Args:
        network: The network, which is left in evaluation mode.
        inputs: The arguments of its `forward`.
    """
    modules = dict(_layers(network))
    found: list[Layer] = []
    made: dict[int, str] = {}  # id of an output -> name of the layer
    kept: list[Any] = []  # outputs, so that no id is used twice
    concatenations = _Concatenations()

    def record(name: str, module: nn.Module, given: tuple[Any, ...], output: Tensor) -> None:
        parts = concatenations.parts.get(id(given[0]), [])
        names = [made[id(part)] for part in parts if id(part) in made]
        before = found[-1]["name"] if found else ""  # the path through the network is no skip
        found.append(
            {
                "name": name,
                "kind": type(module).__name__,
                "input": list(given[0].shape[1:]),
                "output": list(output.shape[1:]),
                "parameters": sum(weight.numel() for weight in module.parameters()),
                "skips": [name for name in names if name != before],
            }
        )
        made[id(output)] = name
        kept.append((given, output))

    with _hooks(modules, record), concatenations:
        network.eval()(*inputs)
    return found


def _layers(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    children = dict(network.named_children())
    if not children:
        yield type(network).__name__.lower(), network
    for name, child in children.items():
        if isinstance(child, nn.ModuleList):
            yield from ((f"{name} {position}", item) for position, item in enumerate(child, 1))
        elif name.isdecimal():  # an item of a Sequential
            yield f"{type(child).__name__.lower()} {int(name) + 1}", child
        else:
            yield name, child


@contextmanager
def _hooks(modules: dict[str, nn.Module], record: Any) -> Iterator[None]:
    handles = [
        module.register_forward_hook(
            lambda module, given, output, name=name: record(name, module, given, output)
        )
        for name, module in modules.items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Concatenations(TorchFunctionMode):
    """Remembers of what each result of `torch.cat` was made."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[int, list[Tensor]] = {}  # id of a result -> its parts
        self._results: list[Tensor] = []  # kept, so that no id is used twice

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        if function is torch.cat:
            self.parts[id(result)] = list(args[0])
            self._results.append(result)
        elif function is Tensor.contiguous and id(args[0]) in self.parts:
            self.parts[id(result)] = self.parts[id(args[0])]
            self._results.append(result)
        return result

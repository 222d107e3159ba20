"""The course's `UNet.pt`: a state dict, possibly nested, read without running its code."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hw2.diffusion import schedule
from hw2.diffusion.schedule import Schedule
from hw2.faces.model import COURSE
from hw2.io import torch_files
from hw2.runtime.errors import UserError

_INSIDE = ("state_dict", "model_state_dict", "model", "ema", "unet")  # keys of training files
_PREFIX = re.compile(r"^(module|model|unet|network|_orig_mod)\.")
_HINT = "give the course's UNet.pt"


def read(path: Path) -> tuple[dict[str, Tensor], Schedule]:
    """Read the 427 weights, float32, and the noise schedule: 1000 steps, beta from 1e-4 to 0.02.

    Raises:
        UserError: if the file is something else; code in the file is never run.
    """
    weights = _unwrapped(torch_files.load(path, _HINT))
    levels = schedule.make("linear", 1000)
    with torch.device("meta"):
        expected = COURSE.build().state_dict()
    _check(path, weights, expected)
    return {name: weights[name].float() for name in expected}, levels


def _unwrapped(result: Any) -> Any:
    """The nested state dict, its names without the prefixes of wrappers."""
    while isinstance(result, Mapping):
        inner = next((result[k] for k in _INSIDE if isinstance(result.get(k), Mapping)), None)
        if inner is None:
            break
        result = inner
    if not isinstance(result, Mapping):
        return result
    while result and all(isinstance(k, str) and _PREFIX.match(k) for k in result):
        result = {_PREFIX.sub("", k, count=1): v for k, v in result.items()}
    return result


def _check(path: Path, result: Any, expected: Mapping[str, Tensor]) -> None:
    """Check names, shapes and finite values.

    Raises:
        UserError: naming the first weight that does not fit.
    """
    if not isinstance(result, Mapping):
        raise UserError(f"{path}: a {type(result).__name__}, not a state dict; {_HINT}")
    missing = [name for name in expected if name not in result]
    surplus = [str(name) for name in result if name not in expected]
    if missing or surplus:
        which = f"without {missing[0]}" if missing else f"with {surplus[0]}"
        raise UserError(
            f"{path}: {len(expected) - len(missing)} of {len(expected)} entries of the course's"
            f" UNet, {which}; {_HINT}"
        )
    for name, tensor in expected.items():
        weight = result[name]
        if not isinstance(weight, Tensor) or weight.shape != tensor.shape:
            shape = tuple(weight.shape) if isinstance(weight, Tensor) else type(weight).__name__
            raise UserError(f"{path}: {name} is {shape}, not {tuple(tensor.shape)}; {_HINT}")
        if not weight.isfinite().all():
            raise UserError(f"{path}: {name} is not finite; {_HINT}")

"""The course's `UNet.pt`: a state dict, possibly nested, read without running its code."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from hw2.diffusion import schedule
from hw2.diffusion.schedule import Schedule
from hw2.faces.model import COURSE
from hw2.io import torch_files
from hw2.runtime.errors import UserError

# Keys of training files, the averaged weights first: they are the ones to sample with.
_INSIDE = ("ema", "model_ema", "ema_state_dict", "state_dict", "model_state_dict", "model", "unet")
_AVERAGED = "ema_model."  # within a module of ema-pytorch, beside the weights that are averaged
_PREFIX = re.compile(r"^(module|model|unet|network|_orig_mod)\.")
_HINT = "give the course's UNet.pt"
SAFETENSORS = ".safetensors"
log = logging.getLogger(__name__)


def read(path: Path) -> tuple[dict[str, Tensor], Schedule]:
    """Read the 427 weights, float32, and the noise schedule: 1000 steps, beta from 1e-4 to 0.02.

    Raises:
        UserError: if the file is something else; code in the file is never run.
    """
    weights = _unwrapped(path, _content(path))
    levels = schedule.make("linear", 1000)
    with torch.device("meta"):
        expected = COURSE.build().state_dict()
    _check(path, weights, expected)
    return {name: weights[name].float() for name in expected}, levels


def _content(path: Path) -> Any:
    if path.suffix.lower() != SAFETENSORS:
        return torch_files.load(path, _HINT)
    torch_files.refuse_other_files(path, _HINT)
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path}: damaged or cut ({error}); {_HINT}") from error


def _unwrapped(path: Path, result: Any) -> Any:
    """The nested state dict, its names without the prefixes of wrappers."""
    while isinstance(result, Mapping):
        inside = [key for key in _INSIDE if isinstance(result.get(key), Mapping)]
        if not inside:
            break
        if len(inside) > 1:
            log.info("%s: holds %s; %s is used", path, " and ".join(inside), inside[0])
        result = result[inside[0]]
    if not isinstance(result, Mapping):
        return result
    if any(str(name).startswith(_AVERAGED) for name in result):
        result = {k: v for k, v in result.items() if str(k).startswith(_AVERAGED)}
        result = {name.removeprefix(_AVERAGED): value for name, value in result.items()}
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

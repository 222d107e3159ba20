"""Noise files in the course's format: NN.pt, a float32 tensor (1, 3, S, S)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hw2 import rng
from hw2.io import torch_files
from hw2.io.file_tree import listed
from hw2.runtime.errors import UserError

COUNT = 10  # as in the course's folder


def draw(seed: int, size: int) -> dict[str, Tensor]:
    """Ten standard normal noises float32 (3, size, size) by name, 00 to 09."""
    return {
        f"{k:02d}": torch.randn((3, size, size), generator=rng.torch_rng(seed, "noise", k))
        for k in range(COUNT)
    }


def write(folder: Path, noises: Mapping[str, Tensor]) -> None:
    """Write a file for each noise into `folder`, which exists."""
    for name, noise in noises.items():
        torch.save(noise[None].clone(), folder / f"{name}.pt")


def read(folder: Path, size: int | None = None) -> dict[str, Tensor]:
    """Read the noises float32 (3, S, S) of all NN.pt in `folder`, by name, in order.

    Args:
        folder: Folder of the noise files.
        size: S of the model; None takes the size of the first noise.

    Raises:
        UserError: if there are none, or one is not a finite float32 tensor of that shape.
    """
    paths = listed(folder, (".pt",))
    if not paths:
        raise UserError(f"{folder}: no noise files; name the folder with 00.pt, 01.pt ...")
    noises: dict[str, Tensor] = {}
    for path in paths:
        noises[path.stem] = _read(path, size)
        size = noises[path.stem].shape[-1]
    return noises


def _read(path: Path, size: int | None) -> Tensor:
    result: Any = torch_files.load(path, "copy it again")
    side = size or (result.shape[-1] if isinstance(result, Tensor) and result.dim() else 0)
    expected = (1, 3, side, side)
    if not isinstance(result, Tensor):
        fault = f"a {type(result).__name__}, not a tensor"
    elif tuple(result.shape) != expected:
        fault = f"of shape {tuple(result.shape)}, not {expected}"
    elif result.dtype != torch.float32:
        fault = f"{result.dtype}, not torch.float32"
    elif not result.isfinite().all():
        fault = "not finite"
    else:
        return result[0].clone()
    raise UserError(f"{path}: {fault}; give a noise that fits the model")

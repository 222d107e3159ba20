"""Checkpoints that describe themselves: safetensors weights with a JSON record as metadata."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hw2.io.atomic import atomic_path
from hw2.runtime.errors import UserError

Model = TypeVar("Model")
Build = Callable[[dict[str, Any], dict[str, Tensor]], Model]


def save(path: Path, kind: str, record: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Write a checkpoint.

    Args:
        kind: Key of the record in the file's metadata; a reader of another kind refuses the file.
        record: JSON-like values from which the model is built.
        weights: Tensors of any device and layout.

    Raises:
        UserError: If the disk refuses.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, {kind: json.dumps(record, sort_keys=True)})


def load(path: Path, kind: str, build: Build[Model], *, stage: str) -> Model:
    """Read a checkpoint and build its model.

    Args:
        kind: As in `save`.
        build: Makes the model from the record and the weights. Any error that it raises because
            they do not fit is reported as a fault of the file.
        stage: The stage that writes the file, for the error message.

    Raises:
        UserError: If the file is missing, damaged, of another kind, or does not fit.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if kind not in metadata:
            raise ValueError(f"it has no record {kind!r}")
        return build(json.loads(metadata[kind]), weights)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).split("\n")[0]  # PyTorch lists every tensor that does not fit
        raise UserError(
            f"{path}: not a checkpoint of {stage} ({reason}); run `dvc repro {stage}`"
        ) from error

"""A checkpoint describes itself, and a file that is not one is refused in one line."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hw2.io import checkpoints
from hw2.runtime.errors import UserError

WEIGHTS = {"w": torch.arange(6.0).view(2, 3)}


def pair(record: dict[str, Any], weights: dict[str, Tensor]) -> tuple[int, Tensor]:
    return record["size"], weights["w"]


def test_a_loaded_checkpoint_has_the_saved_record_and_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    checkpoints.save(path, "toy", {"size": 3}, {"w": WEIGHTS["w"].T})  # of any layout
    size, weight = checkpoints.load(path, "toy", pair, stage="toy_train")
    assert size == 3
    assert torch.equal(weight, WEIGHTS["w"].T)


@pytest.mark.parametrize("damage", ["absent", "cut", "text", "kind", "misfit"])
def test_row_32_the_error_for_a_wrong_file_names_the_stage_to_run(
    tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "model.safetensors"
    checkpoints.save(path, "toy", {"size": 3} if damage != "misfit" else {}, WEIGHTS)
    if damage == "absent":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-4])
    elif damage == "text":
        path.write_text("<!DOCTYPE html>")
    kind = "other" if damage == "kind" else "toy"
    with pytest.raises(UserError, match=r"model\.safetensors: not a checkpoint of toy_train") as e:
        checkpoints.load(path, kind, pair, stage="toy_train")
    assert str(e.value).endswith("; run `dvc repro toy_train`")
    assert "\n" not in str(e.value)

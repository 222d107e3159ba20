"""A checkpoint describes itself, loads as it was saved, and other files are refused."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors.torch import load_file, save_file

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.diffusion import schedule
from hw2.runtime.errors import UserError

CPU = torch.device("cpu")
Kind = Literal["unet", "context_unet"]


def saved(mini: params.Params, path: Path, kind: Kind = "unet", **train: Any) -> params.Ddpm:
    """Write an untrained checkpoint; return its parameters."""
    ddpm = mini.ddpm.model_copy(
        update={
            "domains": ("svhn", "mnistm"),
            "network": mini.ddpm.network.model_copy(update={"kind": kind, "n_feat": 8}),
            "train": mini.ddpm.train.model_copy(update=train),
        }
    )
    network = denoiser.build(ddpm.network, ddpm.diffusion.timesteps)
    denoiser.save(path, network.state_dict(), ddpm)
    return ddpm


@pytest.mark.parametrize("kind", ["unet", "context_unet"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_loaded_checkpoint_equals_the_saved_model(
    mini: params.Params, tmp_path: Path, kind: Kind, precision: str
) -> None:
    path = tmp_path / "model.safetensors"
    ddpm = saved(mini, path, kind, precision=precision)
    loaded = denoiser.load(path, CPU)
    weights = load_file(path)
    assert loaded.network.state_dict().keys() == weights.keys()
    assert all(torch.equal(v, weights[k]) for k, v in loaded.network.state_dict().items())
    expected_schedule = schedule.make(ddpm.diffusion.schedule, ddpm.diffusion.timesteps)
    assert torch.equal(loaded.schedule.abar, expected_schedule.abar)
    assert loaded.prediction == ddpm.diffusion.prediction
    assert (loaded.domains, loaded.precision) == (("svhn", "mnistm"), precision)
    assert not loaded.network.training
    assert not any(p.requires_grad for p in loaded.network.parameters())


def test_equal_weights_give_identical_files(mini: params.Params, tmp_path: Path) -> None:
    network = denoiser.build(mini.ddpm.network, 20)
    for name in "ab":
        denoiser.save(tmp_path / name, network.state_dict(), mini.ddpm)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_training_parameters_are_not_part_of_the_checkpoint(
    mini: params.Params, tmp_path: Path
) -> None:
    """A file that changed with each learning rate would rerun what does not depend on it."""
    network = denoiser.build(mini.ddpm.network, 20)
    other = mini.ddpm.model_copy(
        update={"train": mini.ddpm.train.model_copy(update={"lr": 0.5, "steps": 7}), "seed": 5}
    )
    denoiser.save(tmp_path / "a", network.state_dict(), mini.ddpm)
    denoiser.save(tmp_path / "b", network.state_dict(), other)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def described(mini: params.Params, **changes: Any) -> dict[str, str]:
    record = mini.ddpm.model_dump(mode="json", include={"domains", "network", "diffusion"})
    record |= {"precision": "fp32"} | changes
    return {"ddpm": json.dumps({k: v for k, v in record.items() if v is not None})}


@pytest.mark.parametrize(
    "damage",
    ["absent", "empty", "html", "cut 0.1", "cut 0.99", "no metadata", "no json", "no schedule",
     "unknown key", "other shape", "missing tensor"],
)  # fmt: skip
def test_a_file_that_is_no_checkpoint_is_a_one_line_error(
    mini: params.Params, tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "model.safetensors"
    weights = denoiser.build(mini.ddpm.network, mini.ddpm.diffusion.timesteps).state_dict()
    network = mini.ddpm.network.model_dump(mode="json")
    match damage.split():
        case ["absent"]:
            pass
        case ["empty"]:
            path.touch()
        case ["html"]:
            path.write_text("<!DOCTYPE html><html>")
        case ["cut", share]:
            save_file(weights, path, described(mini))
            data = path.read_bytes()
            path.write_bytes(data[: int(float(share) * len(data))])
        case ["no", "metadata"]:
            save_file(weights, path)
        case ["no", "json"]:
            save_file(weights, path, {"ddpm": "{"})
        case ["no", "schedule"]:
            save_file(weights, path, described(mini, diffusion=None))
        case ["unknown", "key"]:
            save_file(weights, path, described(mini, network={**network, "heads": 4}))
        case ["other", "shape"]:
            save_file(weights, path, described(mini, network={**network, "base_channels": 24}))
        case ["missing", "tensor"]:
            weights.pop("leave.bias")
            save_file(weights, path, described(mini))
    with pytest.raises(
        UserError, match=r"model\.safetensors: not a checkpoint of ddpm_train"
    ) as caught:
        denoiser.load(path, CPU)
    assert "\n" not in str(caught.value)
    assert "run `dvc repro ddpm_train`" in str(caught.value)

"""Models are loaded from a folder or a single file; other files are refused."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hw2.config import params
from hw2.io import hub
from hw2.runtime.errors import UserError
from hw2.stable_diffusion import load

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


def test_the_single_file_gives_the_weights_of_the_folder(
    v1: Path, checkpoint: Path, stable_diffusion: params.StableDiffusion
) -> None:
    folder = load.load(stable_diffusion, v1, CPU)
    settings = stable_diffusion.model_copy(update={"weights": str(checkpoint), "config": str(v1)})
    file = load.load(settings, v1, CPU)
    for network in ("unet", "vae", "text_encoder"):
        expected, weights = (getattr(pipe, network).state_dict() for pipe in (folder, file))
        assert expected.keys() == weights.keys()
        assert all(torch.equal(expected[key], weights[key]) for key in expected)
    assert len(file.tokenizer) == len(folder.tokenizer)


def test_invalid_models_are_refused_in_one_line(
    v1: Path, stable_diffusion: params.StableDiffusion, tmp_path: Path
) -> None:
    (tmp_path / "bad.ckpt").write_bytes(b"no checkpoint")
    (tmp_path / "page.CKPT").write_bytes(b"<html>Quota exceeded</html>")
    (tmp_path / "page.safetensors").write_bytes(b"<html>Quota exceeded</html>")
    torch.save([1, 2], tmp_path / "list.ckpt")
    torch.save({}, tmp_path / "model.pt")
    bare = tmp_path / "bare"
    shutil.copytree(v1, bare)
    shutil.rmtree(bare / "tokenizer")
    for weights, message in (
        (tmp_path / "bad.ckpt", "no file of PyTorch"),
        (tmp_path / "page.CKPT", "a web page, not a model"),
        (tmp_path / "page.safetensors", "a web page, not a model"),
        (tmp_path / "list.ckpt", "a list, not a state dict"),
        (tmp_path / "model.pt", "unknown suffix; give a .ckpt or .safetensors"),
        (tmp_path / "absent.ckpt", "no file"),
        (bare, "tokenizer|cannot be loaded"),
    ):
        with pytest.raises(UserError, match=message) as error:
            load.load(stable_diffusion.model_copy(update={"weights": str(weights)}), v1, CPU)
        assert "\n" not in str(error.value)


def test_bf16_on_a_cpu_keeps_the_weights_and_rounds_the_output(
    v1: Path, stable_diffusion: params.StableDiffusion
) -> None:
    exact, rounded = (
        load.load(stable_diffusion.model_copy(update={"precision": precision}), v1, CPU).unet
        for precision in ("fp32", "bf16")
    )
    assert {p.dtype for p in rounded.parameters()} == {torch.float32}
    config = exact.config
    torch.manual_seed(3)
    latents = torch.randn(2, config.in_channels, config.sample_size, config.sample_size)
    states = torch.randn(2, 5, config.cross_attention_dim)
    with torch.no_grad():
        expected = exact(latents, 500, encoder_hidden_states=states).sample
        output = rounded(latents, 500, encoder_hidden_states=states).sample
        (as_tuple,) = rounded(latents, 500, encoder_hidden_states=states, return_dict=False)
    assert output.dtype == torch.float32
    error = float((output - expected).norm() / expected.norm())
    assert 0 < error < 0.05
    torch.testing.assert_close(as_tuple, output, rtol=0, atol=0)


def test_a_checkpoint_with_numbers_of_numpy_and_capitals_in_its_name_is_read(
    checkpoint: Path, v1: Path, stable_diffusion: params.StableDiffusion, tmp_path: Path
) -> None:
    state = load._read_checkpoint(checkpoint)
    of_callback = {"best_model_score": np.float64(0.5), "history": np.arange(3.0)}
    torch.save({"state_dict": state, "callbacks": of_callback}, tmp_path / "V1.CKPT")
    save_file(state, tmp_path / "V1.SAFETENSORS")
    expected = load.load(stable_diffusion, v1, CPU).unet.state_dict()
    for name in ("V1.CKPT", "V1.SAFETENSORS"):
        files = {"weights": str(tmp_path / name), "config": str(v1)}
        pipe = load.load(stable_diffusion.model_copy(update=files), v1, CPU)
        assert all(torch.equal(expected[k], v) for k, v in pipe.unet.state_dict().items())


def test_without_a_network_a_model_of_the_hub_is_refused_in_one_line(
    checkpoint: Path,
    v1: Path,
    stable_diffusion: params.StableDiffusion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "unavailable", lambda: "the hub cannot be reached")
    commit = "a" * 40
    cached = r"is no folder here, .* and the hub cannot be reached; .* `hf download some/model"
    for changes, message in (
        ({"weights": "some/model", "revision": commit}, f"{cached} --revision {commit}`"),
        ({"weights": str(checkpoint), "config": "some/model"}, f"config: .* {cached}`"),
        ({"weights": "no folder"}, "no folder is not there, and is no hub id"),
    ):
        with pytest.raises(UserError, match=message) as error:
            load.load(stable_diffusion.model_copy(update=changes), v1, CPU)
        assert "\n" not in str(error.value)


class Code:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = str(mark)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._mark,)


@pytest.mark.parametrize("network", ["unet", "vae", "text_encoder"])
def test_row_63_code_in_a_folder_of_diffusers_is_refused(
    v1: Path, stable_diffusion: params.StableDiffusion, tmp_path: Path, network: str
) -> None:
    folder, mark = tmp_path / "model", tmp_path / "mark"
    shutil.copytree(v1, folder)
    (weights,) = (folder / network).glob("*.safetensors")
    weights.unlink()
    name = "pytorch_model" if network == "text_encoder" else "diffusion_pytorch_model"
    torch.save({"conv_in.weight": Code(mark)}, folder / network / f"{name}.bin")
    settings = stable_diffusion.model_copy(update={"weights": str(folder)})
    with pytest.raises(UserError, match="cannot be loaded") as error:
        load.load(settings, v1, CPU)
    assert "\n" not in str(error.value)
    assert not mark.exists()

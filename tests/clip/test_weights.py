"""Where weights are looked for, what is pinned, and how fast it is said that they are missing."""

import hashlib
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hw2.clip import weights
from hw2.config import params
from hw2.runtime.errors import UserError


def spec(where: object, **values: str) -> params.ClipModel:
    return params.ClipModel(
        **{"name": "one", "weights": str(where), "architecture": None, "pin": None} | values
    )


def refused(model: params.ClipModel, *said: str, own: Path = Path("absent")) -> None:
    began = time.monotonic()
    with pytest.raises(UserError) as caught:
        weights.locate(model, own)
    assert time.monotonic() - began < 2
    assert "\n" not in str(caught.value)
    for text in ("clip.zero_shot.models, one: ", *said):
        assert text in str(caught.value)


def test_a_folder_in_open_clip_s_form(tiny_folder: Path) -> None:
    found = weights.locate(spec(tiny_folder), Path("absent"))
    assert found.weights == tiny_folder / "open_clip_model.safetensors"
    assert found.config == tiny_folder / "open_clip_config.json"
    assert weights.locate(spec("trained"), tiny_folder).sha256 == found.sha256


def test_the_key_is_of_weights_and_configuration(tiny_folder: Path) -> None:
    before = weights.locate(spec(tiny_folder), Path()).sha256
    config = tiny_folder / "open_clip_config.json"
    config.write_text(config.read_text().replace("0.35", "0.36"))
    assert weights.locate(spec(tiny_folder), Path()).sha256 != before


def test_a_bin_file_will_do(tiny_folder: Path) -> None:
    (tiny_folder / "open_clip_model.safetensors").rename(
        tiny_folder / "open_clip_pytorch_model.bin"
    )
    assert weights.locate(spec(tiny_folder), Path()).weights.suffix == ".bin"


def test_a_file_needs_its_architecture(tiny_folder: Path) -> None:
    path = tiny_folder / "open_clip_model.safetensors"
    refused(spec(path), "give its architecture as well")
    found = weights.locate(spec(path, architecture="ViT-B-32"), Path())
    assert (found.config, found.architecture, found.weights) == (None, "ViT-B-32", path)


def test_a_pin_is_compared(tiny_folder: Path) -> None:
    path = tiny_folder / "open_clip_model.safetensors"
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    assert weights.locate(spec(tiny_folder, pin=right), Path()).weights == path
    refused(spec(tiny_folder, pin="0" * 64), f"has sha256 {right}, not the pinned 0000")


def test_what_is_missing_is_said(tiny_folder: Path, tmp_path: Path) -> None:
    refused(spec(tmp_path / "nowhere"), "no weights at", "hf-hub:OWNER/NAME")
    refused(spec("trained"), "run `dvc repro clip_train`")
    (tiny_folder / "open_clip_config.json").unlink()
    refused(spec(tiny_folder), "no open_clip_config.json")
    shutil.rmtree(tiny_folder)
    tiny_folder.mkdir()
    refused(spec(tiny_folder), "no open_clip_model.safetensors or open_clip_pytorch_model.bin")


def test_the_hub_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    model = spec("hf-hub:nobody/nothing", pin="a" * 40)
    refused(model, "HF_HUB_OFFLINE is set", f"hf download nobody/nothing --revision {'a' * 40}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        refused(model, "cannot be reached; on a machine with a network run `hf download")


def test_the_hub_s_cache_is_used_without_a_network(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    commit = "c" * 40
    place = tmp_path / "hub" / "models--some--clip"
    shutil.copytree(tiny_folder, place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs/main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for pin in ({}, {"pin": commit}):
        found = weights.locate(spec("hf-hub:some/clip", **pin), Path())
        assert found.weights.parent.name == commit
    refused(spec("hf-hub:some/clip", pin="d" * 40), "not in the hub's cache")


def test_looking_for_weights_imports_nothing_slow() -> None:
    code = (
        "import sys; from hw2.clip import weights; from hw2.stages import clip_fetch;"
        "print([m for m in ('torch', 'open_clip', 'torchvision') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

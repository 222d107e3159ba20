"""Weights are located and checked against pins; missing ones are reported without a wait."""

import hashlib
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from hw2.clip import weights
from hw2.config import params
from hw2.runtime.errors import UserError


def spec(location: object, **values: str) -> params.ClipModel:
    return params.ClipModel(
        **{
            "name": "model",
            "weights": str(location),
            "architecture": None,
            "revision": None,
            "sha256": None,
        }
        | values
    )


def assert_refused(
    model: params.ClipModel, *messages: str, trained_folder: Path = Path("absent")
) -> None:
    # The hub's own client retries for most of a minute, so it must not be called in vain.
    with mock.patch.object(weights, "_download") as download, pytest.raises(UserError) as error:
        weights.locate(model, trained_folder)
    download.assert_not_called()
    assert "\n" not in str(error.value)
    for part in ("clip.zero_shot.models, model: ", *messages):
        assert part in str(error.value)


def test_a_folder_in_open_clip_s_format(tiny_folder: Path) -> None:
    located = weights.locate(spec(tiny_folder), Path("absent"))
    assert located.weights == tiny_folder / "open_clip_model.safetensors"
    assert located.config == tiny_folder / "open_clip_config.json"
    assert weights.locate(spec("trained"), tiny_folder).sha256 == located.sha256


def test_the_digest_covers_weights_and_configuration(tiny_folder: Path) -> None:
    before = weights.locate(spec(tiny_folder), Path()).sha256
    config = tiny_folder / "open_clip_config.json"
    config.write_text(config.read_text().replace("0.35", "0.36"))
    assert weights.locate(spec(tiny_folder), Path()).sha256 != before


def test_a_bin_file_is_accepted(tiny_folder: Path) -> None:
    (tiny_folder / "open_clip_model.safetensors").rename(
        tiny_folder / "open_clip_pytorch_model.bin"
    )
    assert weights.locate(spec(tiny_folder), Path()).weights.suffix == ".bin"


def test_a_file_needs_its_architecture(tiny_folder: Path) -> None:
    path = tiny_folder / "open_clip_model.safetensors"
    assert_refused(spec(path), "give its architecture as well")
    located = weights.locate(spec(path, architecture="ViT-B-32"), Path())
    assert (located.config, located.architecture, located.weights) == (None, "ViT-B-32", path)


def test_weights_that_differ_from_their_pin_are_refused(tiny_folder: Path) -> None:
    path = tiny_folder / "open_clip_model.safetensors"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert weights.locate(spec(tiny_folder, sha256=digest), Path()).weights == path
    assert_refused(spec(tiny_folder, sha256="0" * 64), f"has sha256 {digest}, not 0000")


def test_errors_name_missing_files(tiny_folder: Path, tmp_path: Path) -> None:
    assert_refused(spec(tmp_path / "nowhere"), "no weights at", "hf-hub:OWNER/NAME")
    assert_refused(spec("trained"), "run `dvc repro clip_train`")
    (tiny_folder / "open_clip_config.json").unlink()
    assert_refused(spec(tiny_folder), "no open_clip_config.json")
    shutil.rmtree(tiny_folder)
    tiny_folder.mkdir()
    assert_refused(
        spec(tiny_folder), "no open_clip_model.safetensors or open_clip_pytorch_model.bin"
    )


def test_hub_models_without_a_network_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    model = spec("hf-hub:nobody/nothing", revision="a" * 40)
    assert_refused(
        model, "HF_HUB_OFFLINE is set", f"hf download nobody/nothing --revision {'a' * 40}"
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert_refused(model, "cannot be reached; on a machine with a network run `hf download")


def test_the_hub_s_cache_is_used_without_a_network(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    commit = "c" * 40
    folder = tmp_path / "hub" / "models--some--clip"
    shutil.copytree(tiny_folder, folder / "snapshots" / commit)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for revision in (None, commit):
        located = weights.locate(spec("hf-hub:some/clip", revision=revision), Path())
        assert located.weights.parent.name == commit
    assert_refused(spec("hf-hub:some/clip", revision="d" * 40), "not in the hub's cache")


def test_locating_weights_imports_no_slow_library() -> None:
    code = (
        "import sys; from hw2.clip import weights; from hw2.stages import clip_fetch;"
        "print([m for m in ('torch', 'open_clip', 'torchvision') if m in sys.modules])"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == "[]"

"""The code of docs/library.md runs on the results of a run, and does what its section says."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hw2.commands import export_digits
from hw2.config import params, paths
from hw2.dann import classifier
from hw2.dann.pairs import Pair
from hw2.ddpm import denoiser
from hw2.diffusion.guidance import Guidance
from hw2.io import files
from hw2.personalization import tokens
from hw2.stages import ddpm_sweep

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/library.md").read_text(encoding="utf-8")
Names = dict[str, Any]


def blocks() -> dict[str, str]:
    """The Python code of each section, by its title."""
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    found = {}
    for section in sections:
        (code,) = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        found[section.splitlines()[0]] = code
    return found


def measurements(names: Names) -> None:
    assert list(names["by_digit"].index) == list("0123456789")
    committed = files.read_json(ROOT / "results/details/dann.json")
    table = names["by_method"]
    assert set(table.columns) == committed.keys()
    for pair, methods in committed.items():
        assert table[pair]["self_training"] == methods["self_training"]["accuracy"]


def tables(names: Names) -> None:
    assert list(names["by_steps"].columns) == ["ddim", "dpmpp"]
    assert names["by_steps"]["dpmpp"][8] == 0.75


def sampled(names: Names) -> None:
    assert names["images"].shape == (6, 28, 28, 3)
    assert names["images"].dtype == np.uint8


def classified(names: Names) -> None:
    assert names["digits"].shape == (5,)
    assert set(names["digits"]) <= set(range(10))


def exported(names: Names) -> None:
    assert [image.size for image in names["images"]] == [(28, 28)] * 2
    assert Path("three.png").is_file()


def drawn(names: Names) -> None:
    assert names["image"].size == (64, 64)
    assert np.asarray(names["image"]).std() > 0


CHECKS: dict[str, Callable[[Names], None]] = {
    "Read the measurements": measurements,
    "Read the tables": tables,
    "Sample digits": sampled,
    "Classify digits": classified,
    "Sample digits without this package": exported,
    "Draw a learned concept in diffusers": drawn,
}


@pytest.fixture(scope="module")
def results(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results that the document reads: models of initial weights."""
    root = tmp_path_factory.mktemp("repository")
    shutil.copy(ROOT / paths.FILE, root)
    where = paths.load(root)
    shutil.copytree(ROOT / "results/details", root / "results/details")
    (root / "data").mkdir()
    (root / "data/pretrained").symlink_to(ROOT / "data/pretrained")
    save_digit_models(mini, root / "exported", where)
    files.write_table(where.ddpm_history, [{"step": 1, "loss": 1.0, "lr": 0.1}])
    files.write_table(where.ddpm_sweep, sweep(mini))
    config = files.read_json(ROOT / "data/pretrained/stable-diffusion/text_encoder/config.json")
    tokens.save(
        where.personalization_embeddings / "0.safetensors",
        "<new1>",
        torch.zeros(1, config["hidden_size"]),
    )
    return root


def save_digit_models(mini: params.Params, exported: Path, where: paths.Paths) -> None:
    network = denoiser.build(mini.ddpm.network, mini.ddpm.diffusion.timesteps)
    denoiser.save(where.ddpm_model, network.state_dict(), mini.ddpm)
    export_digits.run(mini, where, exported, where.ddpm_model)
    classifier.save(
        where.dann_models / "mnistm-svhn/self_training-41.safetensors",
        classifier.Classifier(mini.dann.network).state_dict(),
        mini.dann.network,
        "shared",
        Pair("mnistm", "svhn"),
        "self_training",
    )


def sweep(mini: params.Params) -> list[dict[str, Any]]:
    """Rows of the sweep as its stage describes them, with an accuracy of 0.75."""
    rows = []
    for sampler in ("ddim", "dpmpp"):
        for steps in (4, 8):
            how = mini.ddpm.sampling.model_copy(update={"sampler": sampler, "steps": steps})
            setting = ddpm_sweep.Setting("sampler", Guidance(2.0), how)
            for domain in ("all", "svhn"):
                described = ddpm_sweep._described(setting, domain, 2 * steps)
                rows.append({**described, "accuracy": 0.75 if domain == "all" else 0.5})
    return rows


def test_every_section_has_one_block_of_code_that_is_checked() -> None:
    assert blocks().keys() == CHECKS.keys()


@pytest.mark.parametrize("title", CHECKS)
def test_the_code_of_a_section_runs(
    results: Path, monkeypatch: pytest.MonkeyPatch, title: str
) -> None:
    from diffusers.utils import dynamic_modules_utils

    monkeypatch.setattr(dynamic_modules_utils, "HF_MODULES_CACHE", str(results / "modules"))
    monkeypatch.chdir(results)
    names: Names = {}
    exec(compile(blocks()[title], f"docs/library.md, {title}", "exec"), names)
    CHECKS[title](names)


def test_the_exported_weights_are_those_of_the_checkpoint(results: Path) -> None:
    checkpoint = load_file(paths.load(results).ddpm_model)
    weights = load_file(results / "exported/unet/diffusion_pytorch_model.safetensors")
    assert weights.keys() == {f"network.{name}" for name in checkpoint}
    assert all(torch.equal(weights[f"network.{name}"], value) for name, value in checkpoint.items())

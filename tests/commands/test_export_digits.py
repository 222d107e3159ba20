"""`hw2 export-digits`: diffusers samples the images of hw2 from the folder, without hw2."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import without_hw2

from hw2 import cli, rng
from hw2.commands import export_digits
from hw2.config import params, paths, profiles
from hw2.ddpm import denoiser
from hw2.ddpm.sample import SampleRequest, sample_images
from hw2.diffusion.guidance import Guidance
from hw2.io import files, manifest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")
REQUEST = SampleRequest(np.array([0, 5, 17, 19]), np.array([0, 1, 0, 3]))
MODELS = {
    "v": {"diffusion": {"prediction": "v", "schedule": "cosine", "timesteps": 1000}},
    "eps": {"diffusion": {"prediction": "eps", "schedule": "linear", "timesteps": 1000}},
    "x0": {"diffusion": {"prediction": "x0", "schedule": "cosine", "timesteps": 50}},
    "few levels": {"diffusion": {"prediction": "v", "schedule": "linear", "timesteps": 20}},
    "context_unet": {"network": {"kind": "context_unet", "n_feat": 8}},
}
STEPS = {name: 50 if name == "x0" else 10 for name in MODELS}  # x0 is special at little noise


class Call(NamedTuple):
    """How digits are sampled: sampler of hw2, scheduler of diffusers (None: the folder's)."""

    sampler: str
    scheduler: str | None
    guidance: Guidance


CALLS = {
    "ddim": Call("ddim", "DDIMScheduler", Guidance(1.0)),
    "guided ddim": Call("ddim", "DDIMScheduler", Guidance(3.0)),
    "dpmpp": Call("dpmpp", None, Guidance(1.0)),
    "guided dpmpp": Call("dpmpp", None, Guidance(3.0, (0.2, 0.7))),
    "gray guided dpmpp": Call("dpmpp", None, Guidance(3.0, color=0.0)),
}


def save_model(path: Path, ddpm: params.Ddpm, **changes: Any) -> params.Ddpm:
    """A checkpoint with weights as after some training: nothing is zero, outputs are of size 1."""
    changed = {name: getattr(ddpm, name).model_copy(update=new) for name, new in changes.items()}
    ddpm = ddpm.model_copy(update=changed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(len("digits"))
        network = denoiser.build(ddpm.network, ddpm.diffusion.timesteps)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    denoiser.save(path, network.state_dict(), ddpm)
    return ddpm


@pytest.fixture(scope="module")
def checkpoints(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of each of `MODELS`."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name, changes in MODELS.items():
        save_model(folder / f"{name}.safetensors", mini.ddpm, **changes)
    return folder


@pytest.fixture(scope="module")
def exported(
    mini: params.Params, checkpoints: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, np.ndarray]:
    """Images by model and call, uint8 (4, 28, 28, 3), of one process without hw2."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    seed = mini.ddpm.sampling.seed
    tasks = []
    for name in MODELS:
        export_digits.run(
            mini,
            paths.load(ROOT),
            elsewhere / name,
            checkpoints / f"{name}.safetensors",
        )
        for call_name, call in CALLS.items():
            tasks.append(
                {
                    "name": f"{name}, {call_name}",
                    "folder": str(elsewhere / name),
                    "scheduler": call.scheduler,
                    "seeds": [
                        rng.derive(seed, "test", label, k)
                        for label, k in zip(
                            REQUEST.labels.tolist(), REQUEST.index.tolist(), strict=True
                        )
                    ],
                    "call": {
                        "class_labels": ["mnistm:0", 5, "svhn:7", 19],
                        "guidance_scale": call.guidance.scale,
                        "guidance_interval": call.guidance.interval,
                        "color_guidance": call.guidance.color,
                        "num_inference_steps": STEPS[name],
                    },
                }
            )
    (elsewhere / "tasks.json").write_text(json.dumps(tasks))
    script = ROOT / "tests/commands/stock_digits.py"
    without_hw2.run(script, elsewhere, "tasks.json", "images.npz")
    images = files.load_arrays(elsewhere / "images.npz")
    return {name: (255 * floats).round().astype(np.uint8) for name, floats in images.items()}


@pytest.mark.parametrize("call_name", CALLS)
@pytest.mark.parametrize("name", MODELS)
def test_diffusers_samples_the_images_of_hw2(
    exported: dict[str, np.ndarray],
    checkpoints: Path,
    mini: params.Params,
    name: str,
    call_name: str,
) -> None:
    call = CALLS[call_name]
    model = denoiser.load(checkpoints / f"{name}.safetensors", CPU)
    how = mini.ddpm.sampling.model_copy(
        update={"sampler": call.sampler, "steps": STEPS[name], "spacing_exponent": 1.0, "eta": 0.0}
    )
    ours = sample_images(model, REQUEST, how, guidance=call.guidance, split="test")
    theirs = exported[f"{name}, {call_name}"]
    assert ours.std() > 10
    # Of 255: float32 tables and sums in another order may round differently.
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 2


def test_guidance_and_scheduler_change_the_exported_images(
    exported: dict[str, np.ndarray],
) -> None:
    plain = exported["v, ddim"].astype(int)
    for other in ("v, guided ddim", "v, dpmpp"):
        assert np.abs(plain - exported[other].astype(int)).max() > 2, other


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of profile mini with a trained model and its records, as the working folder."""
    for name in ("dvc.yaml", "params.yaml", "paths.yaml", "profiles.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "results/details", tmp_path / "results/details")
    monkeypatch.chdir(tmp_path)
    profiles.apply("mini")
    where = paths.load()
    save_model(where.ddpm_model, params.load().ddpm)
    record = {"guidance_scale": 2.5, "interval": [0.25, 0.75], "color": 0.5}
    record |= {"candidates": [], "split": "val"}
    files.write_json(where.ddpm_guidance, record)
    return tmp_path


def test_the_model_of_the_pipeline_has_its_guidance_and_its_metrics(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["export-digits", "out"]) == 0
    assert capsys.readouterr().out.startswith(f"{clone / 'out'}: ")
    manifest.check(clone / "out")
    index = files.read_json(clone / "out/model_index.json")
    assert (index["guidance_scale"], index["guidance_interval"]) == (2.5, [0.25, 0.75])
    assert index["color_guidance"] == 0.5
    assert index["num_inference_steps"] == params.load().ddpm.sampling.steps
    assert index["id2label"]["17"] == "svhn:7"
    assert len(index["id2label"]) == 20
    card = (clone / "out/README.md").read_text()
    for name, domain in (("MNIST-M", "mnistm"), ("SVHN", "svhn")):
        scores = files.read_json(clone / "results/details/ddpm.json")[domain]
        low, high = scores["accuracy_low"], scores["accuracy_high"]
        assert (
            f"| generated {name} digits | {scores['accuracy']:.3f} | {low:.3f} to {high:.3f} |"
            in card
        )
    assert card.startswith("---\nlicense: mit\n")
    assert "guidance scale 2.5" in card
    assert "- synthetic" in card


def test_another_checkpoint_has_neither_guidance_nor_metrics(clone: Path) -> None:
    save_model(
        clone / "other.safetensors", params.load().ddpm.model_copy(update={"domains": ("svhn",)})
    )
    assert cli.main(["export-digits", "out", "--model", "other.safetensors"]) == 0
    index = files.read_json(clone / "out/model_index.json")
    assert (index["guidance_scale"], index["guidance_interval"]) == (1.0, [0.0, 1.0])
    assert list(index["id2label"].values()) == [f"svhn:{digit}" for digit in range(10)]
    card = (clone / "out/README.md").read_text()
    assert "generated" not in card
    assert "# A conditional DDPM of SVHN digits" in card


def test_every_json_file_is_valid_and_names_no_folder(clone: Path) -> None:
    assert cli.main(["export-digits", "out"]) == 0
    configurations = sorted((clone / "out").rglob("*.json"))
    assert len(configurations) == 3
    for path in configurations:
        files.read_json(path)  # refuses Infinity and NaN, which JSON does not have
        assert str(clone) not in path.read_text()


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("ddpm_model", "not a checkpoint of ddpm_train (no such file); run `dvc repro ddpm_train`"),
        ("ddpm_guidance", "no such file; run `dvc repro ddpm_select_guidance`"),
        ("ddpm_details", "no such file; run `dvc repro ddpm_evaluate`"),
        ("judge_details", "no such file; run `dvc repro judge_train`"),
    ],
)
def test_a_missing_result_of_the_run_is_one_line(
    clone: Path, capsys: pytest.CaptureFixture[str], missing: str, message: str
) -> None:
    path = getattr(paths.load(), missing)
    path.unlink()
    assert cli.main(["export-digits", "out"]) == 2
    error = capsys.readouterr().err
    assert str(path) in error
    assert message in error
    assert error.count("\n") == 1
    assert not (clone / "out").exists()


def test_a_record_without_a_domain_of_the_model_is_one_line(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    details = paths.load().ddpm_details
    record = files.read_json(details)
    files.write_json(details, {key: value for key, value in record.items() if key != "svhn"})
    assert cli.main(["export-digits", "out"]) == 2
    assert "no measurement of svhn; run `dvc repro ddpm_evaluate`" in capsys.readouterr().err
    assert not (clone / "out").exists()


def test_a_file_that_is_no_checkpoint_is_one_line(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clone / "other.safetensors").write_text("other")
    assert cli.main(["export-digits", "out", "--model", "other.safetensors"]) == 2
    error = capsys.readouterr().err
    assert "other.safetensors: not a checkpoint of ddpm_train" in error
    assert error.count("\n") == 1

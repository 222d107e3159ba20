"""Model files of every origin load as a `FaceModel` whose output is that of its own library."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMScheduler, UNet2DModel
from torch import Tensor

from hw2 import rng
from hw2.config import params
from hw2.faces import hub, load, noises, train
from hw2.faces import model as models
from hw2.faces.model import FaceModel
from hw2.faces.sample import Setting, sample
from hw2.runtime.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CPU = torch.device("cpu")


def output(model: FaceModel, size: int = 16) -> Tensor:
    images = torch.randn((2, 3, size, size), generator=torch.Generator().manual_seed(1))
    return model.network(images, torch.tensor([3, 11]))


def test_a_saved_model_is_loaded_unchanged(
    tmp_path: Path, mini: params.Params, face: FaceModel, weights: dict[str, Tensor]
) -> None:
    path = tmp_path / "model.safetensors"
    models.save(path, train.blueprint(mini.faces), weights, face.schedule)
    loaded = load.load(str(path), CPU)
    assert (loaded.size, loaded.prediction) == (16, mini.faces.diffusion.prediction)
    assert torch.equal(loaded.schedule.abar, face.schedule.abar)
    assert torch.equal(output(loaded), output(face))


def test_a_damaged_model_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(
        UserError, match=r"not a checkpoint of faces_train .*run `dvc repro faces_train`"
    ) as caught:
        models.load(path, CPU)
    assert "\n" not in str(caught.value)


def pipeline(folder: Path, **changes: Any) -> DDIMPipeline:
    """A tiny pipeline of diffusers with random weights, saved."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(len("weights"))
        network = UNet2DModel(
            sample_size=16, block_out_channels=(8, 16), norm_num_groups=4, layers_per_block=1,
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"), attention_head_dim=8, **changes,
        )  # fmt: skip
    scheduler = DDIMScheduler(1000, beta_schedule="linear", clip_sample=True)
    pipe = DDIMPipeline(network, scheduler)
    pipe.save_pretrained(folder)
    return pipe


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_pipeline_of_diffusers_gives_the_images_of_diffusers(tmp_path: Path, eta: float) -> None:
    """Issue 5: on the same model, betas and noise the largest difference is below 1e-4.

    In float64 on both sides: a network without training is steep, and makes the rounding of a
    float32 grow at each step.
    """
    pipe = pipeline(tmp_path)
    face = load.load(str(tmp_path), CPU)
    face.network.double()
    scheduler, unet = pipe.scheduler, pipe.unet.double()
    assert (scheduler.alphas_cumprod - face.schedule.abar).abs().max() < 1e-6
    scheduler.alphas_cumprod = face.schedule.abar
    scheduler.set_timesteps(50)
    start = torch.stack(list(noises.draw(1, 16).values()))[:3].double()
    streams = [rng.torch_rng(1, "fresh noise", name) for name in "abc"]
    images = start
    with torch.no_grad():
        for t in scheduler.timesteps:
            fresh = torch.stack([torch.randn((3, 16, 16), generator=s) for s in streams])
            predicted = unet(images, t).sample
            images = scheduler.step(
                predicted, t, images, eta=eta, variance_noise=fresh.double() if eta else None
            ).prev_sample
    sampled = sample(face, start, list("abc"), Setting(50, "leading", eta), seed=1, batch=2)
    assert (sampled - images).abs().max() < 1e-4


def test_a_network_and_a_scheduler_in_one_folder_are_read(tmp_path: Path) -> None:
    """Older models on the hub have this layout."""
    pipe = pipeline(tmp_path / "new")
    pipe.unet.save_pretrained(tmp_path / "old")
    DDPMScheduler(1000, beta_start=1e-3, prediction_type="v_prediction").save_pretrained(
        tmp_path / "old"
    )
    blueprint, _, schedule = hub.read(str(tmp_path / "old"), None)
    assert (blueprint.prediction, blueprint.size) == ("v", 16)
    betas = torch.linspace(1e-3, 0.02, 1000)
    torch.testing.assert_close(schedule.abar, (1 - betas.double()).cumprod(0))


def test_a_model_of_diffusers_is_converted_to_a_model_file(tmp_path: Path) -> None:
    pipeline(tmp_path / "theirs")
    blueprint, state, schedule = hub.read(str(tmp_path / "theirs"), None)
    models.save(tmp_path / "model.safetensors", blueprint, state, schedule)
    converted = models.load(tmp_path / "model.safetensors", CPU)
    assert torch.equal(output(converted), output(load.load(str(tmp_path / "theirs"), CPU)))


def test_models_that_do_not_fit_are_refused_in_one_line(tmp_path: Path) -> None:
    pipeline(tmp_path / "gray", in_channels=1, out_channels=1)
    (tmp_path / "empty").mkdir()
    pipeline(tmp_path / "flow")
    config = tmp_path / "flow/scheduler/scheduler_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"prediction_type": "flow"}))
    for name, message in (
        ("gray", "1 to 1 channels"), ("empty", "has no UNet2DModel"), ("flow", "predicts flow"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=message) as caught:
            hub.read(str(tmp_path / name), None)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="which has no commits"):
        hub.read(str(tmp_path / "gray"), "0123abc")


def test_offline_a_hub_id_that_is_not_cached_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"and HF_HUB_OFFLINE is set; .*`hf download") as caught:
        load.load("nobody/no-such-faces", CPU)
    assert "\n" not in str(caught.value)

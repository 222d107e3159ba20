"""The folder of diffusers: its noise schedule, its code, and what its pipeline refuses."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hw2.config import params
from hw2.ddpm import denoiser, hub
from hw2.ddpm.diffusers_pipeline import DigitsPipeline
from hw2.diffusion import schedule
from hw2.diffusion.guidance import Guidance
from hw2.models import context_unet, unet
from hw2.runtime.errors import UserError


@pytest.fixture
def source(mini: params.Params, tmp_path: Path) -> hub.Source:
    path = tmp_path / "model.safetensors"
    network = denoiser.build(mini.ddpm.network, mini.ddpm.diffusion.timesteps)
    denoiser.save(path, network.state_dict(), mini.ddpm)
    return hub.read(path)


@pytest.fixture
def pipe(source: hub.Source) -> Any:
    names = {"0": "mnistm:0", "3": "mnistm:3", "17": "svhn:7"}
    made = DigitsPipeline(source.network, hub.make_scheduler(source.diffusion), names)
    made.set_progress_bar_config(disable=True)
    return made


@pytest.mark.parametrize("timesteps", [20, 400, 1000])
@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_the_noise_schedule_is_that_of_the_training(
    mini: params.Params, kind: Any, timesteps: int
) -> None:
    diffusion = mini.ddpm.diffusion.model_copy(update={"schedule": kind, "timesteps": timesteps})
    ours = schedule.make(kind, timesteps).abar
    theirs = hub.make_scheduler(diffusion).alphas_cumprod.double()
    # diffusers computes in float32, where 1 - beta has a step of 6e-8: that is 2e-5 of the share
    # of signal at the last level, and 1e-3 of that of noise at the first one.
    torch.testing.assert_close(theirs, ours, rtol=5e-5, atol=0)
    torch.testing.assert_close(1 - theirs, 1 - ours, rtol=2e-3, atol=0)


@pytest.mark.parametrize(
    ("prediction", "name"), [("eps", "epsilon"), ("v", "v_prediction"), ("x0", "sample")]
)
def test_the_scheduler_is_told_what_the_network_predicts(
    mini: params.Params, prediction: str, name: str
) -> None:
    diffusion = mini.ddpm.diffusion.model_copy(update={"prediction": prediction})
    assert hub.make_scheduler(diffusion).config.prediction_type == name


def test_the_code_of_the_folder_is_that_of_the_package_and_needs_none_of_it(
    source: hub.Source, tmp_path: Path
) -> None:
    hub.write(source, tmp_path, guidance=Guidance(2.0), steps=5)
    model = (tmp_path / f"unet/{hub.UNET_MODULE}.py").read_text(encoding="utf-8")
    pipeline = (tmp_path / f"{hub.PIPELINE_MODULE}.py").read_text(encoding="utf-8")
    for module in (unet, context_unet):
        assert inspect.getsource(module) in model
    for text in (model, pipeline):
        ast.parse(text)
        assert not re.search(r"^\s*(from|import)\s+(hw2|\.)", text, re.MULTILINE)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "config.json", "diffusion_pytorch_model.safetensors", f"{hub.PIPELINE_MODULE}.py",
        f"{hub.UNET_MODULE}.py", "model.safetensors", "model_index.json", "scheduler_config.json",
    ]  # fmt: skip


def test_labels_are_numbers_or_names(pipe: Any) -> None:
    assert pipe.labels == {"mnistm:0": 0, "mnistm:3": 3, "svhn:7": 17}
    assert pipe.get_label_ids(["mnistm:3", 17, "svhn:7"]) == [3, 17, 17]
    assert pipe.get_label_ids("mnistm:3") == pipe.get_label_ids(3) == [3]
    assert pipe.get_label_ids(torch.tensor([0, 3])) == [0, 3]


@pytest.mark.parametrize("label", [4, -1, 20, "mnistm:4", "3"])
def test_a_label_that_the_model_lacks_is_refused_with_those_it_has(pipe: Any, label: Any) -> None:
    with pytest.raises(ValueError, match=r"does not exist; the model has mnistm:0 \(0\), "):
        pipe([0, label], num_inference_steps=1)


def test_there_are_as_many_generators_as_images(pipe: Any) -> None:
    with pytest.raises(ValueError, match="1 generators for 2 class labels"):
        pipe([0, 3], generator=[torch.Generator()], num_inference_steps=1)


def test_the_types_of_output_hold_the_same_images(pipe: Any) -> None:
    def images(kind: str, **options: Any) -> Any:
        generator = torch.Generator().manual_seed(len("images"))
        return pipe([0, 17], 2.0, generator, 4, kind, **options)

    arrays = images("np").images
    assert arrays.shape == (2, 28, 28, 3)
    assert arrays.dtype == np.float32
    assert 0 <= arrays.min() < arrays.max() <= 1
    tensor = images("pt", return_dict=False)[0]
    assert np.array_equal(tensor.permute(0, 2, 3, 1).numpy(), arrays)
    pictures = np.stack([np.asarray(picture) for picture in images("pil").images])
    assert np.array_equal(pictures, (255 * arrays).round().astype(np.uint8))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [4, 4, 2, 2]),
        ({"guidance_scale": 1.0}, [2, 2, 2, 2]),
        ({"guidance_interval": (0.9, 0.95)}, [4, 2, 2, 2]),
        ({"num_inference_steps": 2}, [4, 2]),
    ],
)
def test_the_network_runs_twice_an_image_where_there_is_guidance(
    source: hub.Source,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    expected: list[int],
) -> None:
    """With four steps, the levels are at 0.95, 0.7, 0.45 and 0.2; with two at 0.95 and 0.45."""
    scheduler = hub.make_scheduler(source.diffusion)
    names = {"0": "mnistm:0", "17": "svhn:7"}
    pipe = DigitsPipeline(source.network, scheduler, names, 3.0, [0.5, 1.0], 4)
    pipe.set_progress_bar_config(disable=True)
    sizes: list[int] = []
    forward = type(pipe.unet).forward

    def counted(self: Any, sample: torch.Tensor, *rest: Any) -> Any:
        sizes.append(len(sample))
        return forward(self, sample, *rest)

    monkeypatch.setattr(type(pipe.unet), "forward", counted)
    pipe([0, 17], **options)
    assert sizes == expected


def test_a_file_that_is_no_checkpoint_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "other.safetensors").write_text("other")
    with pytest.raises(UserError, match="not a checkpoint of ddpm_train") as caught:
        hub.read(tmp_path / "other.safetensors")
    assert "\n" not in str(caught.value)

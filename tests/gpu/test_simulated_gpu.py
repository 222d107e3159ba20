"""Every training and every sampler on a simulated GPU: nothing stays on the CPU, nothing waits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from simulation import WaitError
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorDeviceMismatchError

import hw2.ddpm.train as ddpm_train
from hw2 import rng
from hw2.config import params
from hw2.dann import augmentations, trainings
from hw2.dann import train as dann_train
from hw2.dann.classifier import Classifier
from hw2.dann.methods.registry import METHODS
from hw2.dann.pairs import Pair, TrainingImages
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import SampleRequest, sampling_states
from hw2.diffusion import schedule
from hw2.diffusion.guidance import Guidance
from hw2.diffusion.samplers import loop
from hw2.digits import arrays, augment
from hw2.digits.arrays import Digits
from hw2.faces import train as face_train
from hw2.models.judge import DigitNet
from hw2.pixels import from_uint8
from hw2.training.resume import Resume

pytestmark = pytest.mark.slow

RNG = np.random.Generator(np.random.PCG64(1))
DIGITS = RNG.integers(0, 256, (60, 28, 28, 3), dtype=np.uint8)


def test_the_simulation_notices_a_forgotten_tensor_and_a_read_value(cuda: torch.device) -> None:
    on_device = torch.randn(3, device=cuda)
    with pytest.raises(FakeTensorDeviceMismatchError):
        on_device + torch.randn(3)
    with pytest.raises(WaitError):
        on_device.sum().item()
    with pytest.raises(WaitError):
        on_device.cpu()


def fully_on(weights: dict[str, Tensor], device: torch.device) -> bool:
    return all(weight.device == device for weight in weights.values())


@pytest.mark.parametrize("kind", ["unet", "context_unet"])
@pytest.mark.parametrize("streams", ["device", "cpu"])
def test_training_of_the_ddpm(
    mini: params.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    trainer: torch.device, kind: str, streams: str,
) -> None:  # fmt: skip
    if kind == "context_unet" and trainer.type == "cuda":
        pytest.skip("PyTorch asks the driver about BatchNorm")
    digits = Digits(DIGITS, np.arange(len(DIGITS)) % 10)
    monkeypatch.setattr(arrays, "load", lambda *_: digits)
    changes = {"steps": 2, "precision": "bf16", "random_streams": streams, "microbatches": 1}
    ddpm = mini.ddpm.model_copy(
        update={
            "train": mini.ddpm.train.model_copy(update=changes),
            "network": mini.ddpm.network.model_copy(update={"kind": kind, "n_feat": 8}),
        }
    )
    weights, _ = ddpm_train.train_ddpm(ddpm, Path(), Resume(tmp_path, {}), trainer)
    assert fully_on(weights, trainer)


def test_training_of_the_face_model(
    mini: params.Params, tmp_path: Path, trainer: torch.device
) -> None:
    train = mini.faces.train.model_copy(update={"steps": 2})
    faces = mini.faces.model_copy(update={"train": train})
    weights, _ = face_train.train_faces(faces, Resume(tmp_path, {}), trainer)
    assert fully_on(weights, trainer)


def test_the_network_of_adaptation(mini: params.Params, trainer: torch.device) -> None:
    network = Classifier(mini.dann.network).to(trainer)
    images = from_uint8(torch.from_numpy(DIGITS).to(trainer))
    stream = rng.torch_rng(1, "augmentations")
    logits = network(augmentations.weak(images, mini.dann.augmentations, stream), 0)
    gradients = torch.autograd.grad(logits.sum(), list(network.parameters()))
    assert all(gradient.device == trainer for gradient in gradients)


def shared_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every training of adaptation read the same images."""
    digits = np.arange(60) % 10

    def load(packed: Path, pair: Pair) -> TrainingImages:
        return TrainingImages(DIGITS, digits, DIGITS, digits if pair.is_single else None)

    monkeypatch.setattr(TrainingImages, "load", staticmethod(load))


@pytest.mark.parametrize("method", list(METHODS))
def test_no_step_of_adaptation_waits(
    mini: params.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    cuda: torch.device, method: str,
) -> None:  # fmt: skip
    shared_digits(monkeypatch)
    train = mini.dann.train.model_copy(update={"steps": 2, "batch_size": 32})
    dann = mini.dann.model_copy(update={"train": train})
    training = trainings.of(Pair("mnistm", "svhn"), method, 1)
    weights, history = dann_train.train_method(
        dann, training, METHODS[method], tmp_path, Resume(tmp_path, {}), cuda
    )
    assert fully_on(weights, cuda)
    assert [row["step"] for row in history] == [1, 2]


def test_a_step_of_the_judge_does_not_wait(mini: params.Params, cuda: torch.device) -> None:
    network = DigitNet().to(cuda)
    stream = rng.torch_rng(1, "augmentations")
    images = from_uint8(DIGITS).to(cuda, non_blocking=True)
    logits = network(augment.affine(images, stream))
    gradients = torch.autograd.grad(logits.sum(), list(network.parameters()))
    assert logits.device == cuda
    assert all(gradient.device == cuda for gradient in gradients)


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "dpmpp"])
def test_sampling_from_the_ddpm(mini: params.Params, cuda: torch.device, sampler: str) -> None:
    network = denoiser.build(mini.ddpm.network, 20).to(cuda)
    model = Denoiser(network, schedule.make("linear", 20), "v", ("mnistm",), "bf16")
    sampling = mini.ddpm.sampling.model_copy(update={"sampler": sampler})
    request = SampleRequest(np.arange(4), np.arange(4))
    states = sampling_states(model, request, sampling, guidance=Guidance(3.0), split="test")
    assert loop.final(states).device == cuda

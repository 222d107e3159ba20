"""Small models on a device against the CPU in fp32, for `benchmarks/gpu.py`.

Trainings and samplers of profile `mini` run with the random numbers of the CPU on both, so that
they differ by rounding only. An error is relative: |device - CPU| / |CPU|, as norms.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import open_clip
import torch
from gpu_workloads import Bench, stable_diffusion_v1
from measure import PRECISIONS, Precision, half
from torch import Tensor

from hw2 import rng
from hw2.clip import open_clip_folder
from hw2.config import params
from hw2.dann.classifier import Classifier
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import request_all_labels, sample_images
from hw2.diffusion import schedule
from hw2.diffusion.guidance import Guidance
from hw2.digits.labels import NUM_LABELS
from hw2.faces import train as face_train
from hw2.pixels import from_uint8
from hw2.training.denoising import DenoisingDataset, train_denoiser
from hw2.training.resume import Resume

TOLERANCES = {"fp32": 0.02, "bf16": 0.1, "fp16": 0.05}
"""TF32 and fp16 have 11 significant bits and bf16 has 8; a few steps of training add errors up."""


@dataclass(frozen=True)
class Case:
    """What a check computes: on a device, in a precision."""

    device: torch.device
    precision: Precision
    params: params.Params

    def autocast(self) -> torch.autocast:
        """The precision of a forward pass."""
        enabled = self.precision != "fp32"
        dtype = PRECISIONS[self.precision] if enabled else torch.bfloat16
        return torch.autocast(self.device.type, dtype, enabled=enabled)


def digit_network(case: Case) -> Tensor:
    """Forward and backward pass of the DDPM's U-Net."""
    with rng.seeded_init(1, "checks"):
        network = denoiser.build(case.params.ddpm.network, 20)
        torch.nn.init.normal_(network.leave.weight, std=0.1)  # type: ignore[arg-type]
    network.to(case.device).to(memory_format=torch.channels_last)
    stream = rng.torch_rng(1, "checks")
    x, t = torch.randn(8, 3, 28, 28, generator=stream).to(case.device), torch.arange(8) * 2
    with case.autocast():
        output = network(x, t.to(case.device), t.to(case.device)).float()
    gradient = torch.autograd.grad(output.square().mean(), network.enter.weight)[0]  # type: ignore[arg-type]
    return torch.cat([output.flatten(), gradient.flatten() * len(output.flatten()) ** 0.5])


def digit_training(case: Case) -> Tensor:
    """The losses of a training of the DDPM; half precision is the one that this device takes."""
    ddpm = case.params.ddpm
    changes = {
        "precision": "fp32" if case.precision == "fp32" else "bf16",
        "random_streams": "cpu",
        "save_every": 10**9,
    }
    images = np.random.Generator(np.random.PCG64(1)).integers(
        0, 256, (60, 28, 28, 3), dtype=np.uint8
    )
    dataset = DenoisingDataset(
        images, torch.arange(60) % NUM_LABELS, NUM_LABELS, 0.1, schedule.make("linear", 20), "v"
    )
    with rng.seeded_init(1, "checks"):
        network = denoiser.build(ddpm.network, 20)
    with tempfile.TemporaryDirectory() as folder:
        _, history = train_denoiser(
            network.to(case.device), dataset, ddpm.train.model_copy(update=changes), seed=1,
            resume=Resume(folder, {}), device=case.device, name="ddpm",
        )  # fmt: skip
    return torch.tensor([row["loss"] for row in history])


def digit_sampling(case: Case) -> Tensor:
    """Guided digits."""
    ddpm = case.params.ddpm
    with rng.seeded_init(1, "checks"):
        network = denoiser.build(ddpm.network, 20)
        torch.nn.init.normal_(network.leave.weight, std=0.1)  # type: ignore[arg-type]
    network.to(case.device).eval().requires_grad_(False)
    precision: Any = "fp32" if case.precision == "fp32" else "bf16"
    model = Denoiser(network, schedule.make("linear", 20), "v", ddpm.domains, precision)
    images = sample_images(
        model, request_all_labels(ddpm.domains, 1), ddpm.sampling, guidance=Guidance(2.0),
        split="checks",
    )  # fmt: skip
    return from_uint8(images)


def face_network(case: Case) -> Tensor:
    """Forward pass of the trained face model's network."""
    with rng.seeded_init(1, "checks"):
        network = face_train.blueprint(case.params.faces).build().to(case.device)
    size = case.params.faces.image_size
    x = torch.randn(4, 3, size, size, generator=rng.torch_rng(1, "checks")).to(case.device)
    with torch.no_grad(), case.autocast():
        return network(x, torch.arange(4, device=case.device)).float()


def adaptation_network(case: Case) -> Tensor:
    """Logits of the adaptation network."""
    with rng.seeded_init(1, "checks"):
        network = Classifier(case.params.dann.network).to(case.device)
    x = torch.rand(8, 3, 28, 28, generator=rng.torch_rng(1, "checks")).to(case.device)
    with torch.no_grad(), case.autocast():
        return network(x, 0).float()


def clip_towers(case: Case) -> Tensor:
    """Image and text features of the small CLIP."""
    clip, shapes = case.params.clip, case.params.shapes
    design = open_clip_folder.design(clip.network, shapes)
    with rng.seeded_init(1, "checks"):
        network = open_clip.CLIP(**design.model).to(case.device).eval()
    side = clip.network.image_size
    x = torch.randn(4, 3, side, side, generator=rng.torch_rng(1, "checks")).to(case.device)
    texts = design.tokenize(["a red circle", "a star"]).to(case.device)
    with torch.no_grad(), case.autocast():
        images, words = network.encode_image(x), network.encode_text(texts)
    return torch.cat([images.float().flatten(), words.float().flatten()])


def stable_diffusion_unet(case: Case) -> Tensor:
    """Forward pass of a small U-Net of Stable Diffusion with text."""
    pipe = stable_diffusion_v1(Bench(torch.device("cpu"), case.params, {}, tiny=True))
    unet, stream = pipe.unet.float().to(case.device), rng.torch_rng(1, "checks")
    latents = torch.randn(2, 4, 8, 8, generator=stream).to(case.device)
    states = torch.randn(2, 77, 32, generator=stream).to(case.device)
    with torch.no_grad(), case.autocast():
        return unet(latents, 3, encoder_hidden_states=states).sample.float()


CHECKS: dict[str, Callable[[Case], Tensor]] = {
    "DDPM, network and gradient": digit_network,
    "DDPM, training": digit_training,
    "DDPM, sampling": digit_sampling,
    "faces, network": face_network,
    "adaptation, network": adaptation_network,
    "CLIP, image and text": clip_towers,
    "Stable Diffusion, U-Net": stable_diffusion_unet,
}


def precisions(device: torch.device) -> tuple[Precision, ...]:
    """Those that are compared on a device; a CPU only emulates fp16."""
    if device.type == "cpu":
        return ("fp32", "bf16")
    return ("fp32", "bf16", "fp16") if half(device) == "bf16" else ("fp32", "fp16")


def check(
    name: str, precision: Precision, device: torch.device, mini: params.Params
) -> dict[str, Any]:
    """Compare a device with the CPU.

    Returns:
        `error`, `tolerance` and whether it is `within`.
    """
    expected = CHECKS[name](Case(torch.device("cpu"), "fp32", mini)).detach().cpu().double()
    actual = CHECKS[name](Case(device, precision, mini)).detach().cpu().double()
    error = float((actual - expected).norm() / expected.norm())
    return {
        "error": error,
        "tolerance": TOLERANCES[precision],
        "within": error <= TOLERANCES[precision],
    }

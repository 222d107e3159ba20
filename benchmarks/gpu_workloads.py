"""The workloads of the course at full size with random weights, for `benchmarks/gpu.py`.

Each function returns what was measured; a workload with `tiny` is the same code at a small size.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from measure import (
    PRECISIONS,
    Ceilings,
    Precision,
    Work,
    half,
    memory_of,
    seconds_of,
    seconds_per_step,
    work_of,
)

from hw2 import rng
from hw2.clip import open_clip_folder
from hw2.clip.features import image_encoder
from hw2.clip.model import Clip
from hw2.clip.preprocess import Preprocess
from hw2.clip.tokenizer import transformers_tokenizer
from hw2.config import params
from hw2.dann import train as dann_train
from hw2.dann.methods.dann import Dann
from hw2.dann.pairs import Pair
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import request_all_labels, sample_images
from hw2.diffusion import schedule
from hw2.diffusion.guidance import Guidance
from hw2.digits import arrays
from hw2.digits.labels import NUM_LABELS
from hw2.faces import sample as face_sample
from hw2.faces.model import COURSE, ready
from hw2.personalization import tokens
from hw2.personalization import train as personalization_train
from hw2.stable_diffusion import sample
from hw2.stable_diffusion.load import image_size
from hw2.stable_diffusion.sample import SampleRequest
from hw2.training.denoising import DenoisingDataset, train_denoiser
from hw2.training.resume import Resume


@dataclass(frozen=True)
class Bench:
    """What every workload is given.

    Attributes:
        device: Where it runs.
        params: Parameters of profile `course`, or of `mini` if `tiny`.
        ceilings: By precision.
        tiny: Small sizes, to test the script.
    """

    device: torch.device
    params: params.Params
    ceilings: dict[str, Ceilings]
    tiny: bool

    @property
    def frozen_precision(self) -> Precision:
        """The precision of weights that are not trained."""
        return half(self.device) if self.device.type == "cuda" else "fp32"

    @property
    def steps(self) -> int:
        """Steps of the shorter training of a measurement."""
        return 2 if self.tiny else 20

    def report(
        self, images: float, work: Work, precision: str, run: Callable[[], float]
    ) -> dict[str, Any]:
        """Rates of a workload: `run` returns the seconds for `images` images that cost `work`."""
        seconds, memory = memory_of(run, self.device)
        ceiling = self.ceilings.get(precision)
        return {
            "images_per_second": images / seconds,
            "seconds": seconds,
            "peak_gib": memory,
            "share_of_ceiling": work.share(seconds, ceiling) if ceiling else None,
            "precision": precision,
        }


def ddpm_training(bench: Bench) -> dict[str, Any]:
    """A step of the course's DDPM: 256 images, AdamW and Muon, averaging."""
    ddpm, device = bench.params.ddpm, bench.device
    stream = np.random.Generator(np.random.PCG64(1))
    images = stream.integers(0, 256, (64 if bench.tiny else 50_000, 28, 28, 3), dtype=np.uint8)
    levels = schedule.make(ddpm.diffusion.schedule, ddpm.diffusion.timesteps)
    dataset = DenoisingDataset(
        images, torch.arange(len(images)) % NUM_LABELS, NUM_LABELS, 0.1, levels,
        ddpm.diffusion.prediction,
    )  # fmt: skip
    with rng.seeded_init(1, "benchmark"):
        network = denoiser.build(ddpm.network, ddpm.diffusion.timesteps)
    network.to(device).to(memory_format=torch.channels_last)

    def train(steps: int) -> None:
        changes = {"steps": steps, "save_every": 10**9, "warmup_steps": 1}
        settings = ddpm.train.model_copy(update=changes)
        with tempfile.TemporaryDirectory() as folder:
            train_denoiser(
                network, dataset, settings, seed=1, resume=Resume(folder, {}), device=device,
                name="ddpm",
            )  # fmt: skip

    batch = ddpm.train.batch_size
    work = work_of(lambda: network(*_inputs(batch, device)))
    precision = half(device) if ddpm.train.precision == "bf16" else "fp32"
    return bench.report(
        batch, work.times(3), precision, lambda: seconds_per_step(train, device, bench.steps)
    )


def _inputs(count: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    zeros = torch.zeros(count, dtype=torch.int64, device=device)
    return torch.randn(count, 3, 28, 28, device=device), zeros, zeros


def ddpm_sampling(bench: Bench) -> dict[str, Any]:
    """Guided sampling of digits, two network calls for each image and step."""
    ddpm, device = bench.params.ddpm, bench.device
    network = denoiser.build(ddpm.network, ddpm.diffusion.timesteps).to(device).eval()
    network.to(memory_format=torch.channels_last).requires_grad_(False)
    levels = schedule.make(ddpm.diffusion.schedule, ddpm.diffusion.timesteps)
    model = Denoiser(network, levels, ddpm.diffusion.prediction, ddpm.domains, "bf16")
    request = request_all_labels(ddpm.domains, 1 if bench.tiny else 50)

    def run() -> None:
        sample_images(model, request, ddpm.sampling, guidance=Guidance(3.0), split="benchmark")

    run()
    count = len(request.labels)
    work = work_of(lambda: network(*_inputs(count, device))).times(2 * ddpm.sampling.steps)
    return bench.report(count, work, half(device), lambda: seconds_of(run, device))


def adaptation(bench: Bench) -> dict[str, Any]:
    """A step of DANN: a batch of source and one of target images."""
    dann, device = bench.params.dann, bench.device
    stream = np.random.Generator(np.random.PCG64(2))
    count = 64 if bench.tiny else 20_000
    with tempfile.TemporaryDirectory() as folder:
        for domain in ("mnistm", "svhn"):
            images = stream.integers(0, 256, (count, 28, 28, 3), dtype=np.uint8)
            data = arrays.Digits(images, np.arange(count) % 10)
            arrays.save(Path(folder), domain, "train", data)
        training = dann_train.Training(Pair("mnistm", "svhn"), "dann", 1)

        def train(steps: int) -> None:
            changed = dann.train.model_copy(update={"steps": steps, "save_every": 10**9})
            with tempfile.TemporaryDirectory() as checkpoints:
                dann_train.train_method(
                    dann.model_copy(update={"train": changed}), training, Dann, Path(folder),
                    Resume(checkpoints, {}), device,
                )  # fmt: skip

        return bench.report(
            dann.train.batch_size, Work(0, 0), "fp32",
            lambda: seconds_per_step(train, device, bench.steps),
        )  # fmt: skip


def stable_diffusion_v1(bench: Bench) -> Any:
    """A pipeline of the sizes of Stable Diffusion v1 with random weights, frozen."""
    from diffusers import (
        AutoencoderKL,
        DPMSolverMultistepScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel

    wide = 1 if bench.tiny else 10
    mini = bench.params if bench.tiny else parameters("mini")
    merges = open_clip_folder.design(mini.clip.network, mini.shapes).merges
    tokenizer = transformers_tokenizer(merges, 77)
    size, width = len(tokenizer), 32 if bench.tiny else 768
    text = CLIPTextConfig(
        vocab_size=size, hidden_size=width, intermediate_size=4 * width,
        num_hidden_layers=2 if bench.tiny else 12, num_attention_heads=4 if bench.tiny else 12,
        max_position_embeddings=77, bos_token_id=size - 2, eos_token_id=size - 1,
        pad_token_id=size - 1,
    )  # fmt: skip
    channels = [32 * wide * factor for factor in (1, 2, 4, 4)]
    vae_channels = (32,) * 4 if bench.tiny else (128, 256, 512, 512)
    with rng.seeded_init(1, "benchmark"), bench.device:
        unet = UNet2DConditionModel(
            sample_size=8 if bench.tiny else 64, block_out_channels=tuple(channels),
            cross_attention_dim=width, attention_head_dim=8,
        )  # fmt: skip
        vae = AutoencoderKL(
            block_out_channels=vae_channels, layers_per_block=2, latent_channels=4,
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        )  # fmt: skip
        encoder = CLIPTextModel(text)
    scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
    )
    pipe = StableDiffusionPipeline(
        vae, encoder, tokenizer, unet, scheduler, None, None, requires_safety_checker=False
    )
    dtype = PRECISIONS[bench.frozen_precision]
    for network in (unet, vae):
        network.to(dtype=dtype, memory_format=torch.channels_last)
    for network in (unet, vae, encoder):
        network.eval().requires_grad_(False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _unet_work(pipe: Any, count: int) -> Work:
    unet, side = pipe.unet, pipe.unet.config.sample_size
    width = unet.config.cross_attention_dim
    make: dict[str, Any] = {"device": unet.device, "dtype": unet.dtype}
    latents, states = (
        torch.randn(count, 4, side, side, **make),
        torch.randn(count, 77, width, **make),
    )
    return work_of(lambda: unet(latents, 1, encoder_hidden_states=states))


def inversion(bench: Bench, *, checkpointing: bool = False) -> dict[str, Any]:
    """A step of textual inversion of a Stable Diffusion of v1's size: 4 images of 512 pixels."""
    pipe, device = stable_diffusion_v1(bench), bench.device
    settings = bench.params.personalization.train.model_copy(
        update={
            "gradient_checkpointing": checkpointing,
            "augment": True,
            "microbatches": 1,
            "save_every": 10**9,
        }
    )
    added = tokens.add(pipe, "<new1>", tokens.initial_embedding(pipe, "circle", 1))
    size, count = image_size(pipe), settings.batch_size
    images = torch.rand(count, 3, size, size) * 2 - 1

    def train(steps: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            personalization_train.train_embeddings(
                pipe, (added,), lambda step: (images, ["a photo of a <new1>"] * count), settings,
                steps=steps, lr=5e-3, seed=1, resume=Resume(folder, {}), desc="inversion",
            )  # fmt: skip

    steps = 2 if bench.tiny else 5
    # Forward, and backward through activations only: the weights are frozen.
    work = _unet_work(pipe, count).times(3 if checkpointing else 2)
    precision = bench.frozen_precision
    return bench.report(count, work, precision, lambda: seconds_per_step(train, device, steps))


def inversion_with_checkpointing(bench: Bench) -> dict[str, Any]:
    """The same with gradient checkpointing, for less memory."""
    return inversion(bench, checkpointing=True)


def generation(bench: Bench) -> dict[str, Any]:
    """The 25 images of a graded prompt, with guidance."""
    pipe, device = stable_diffusion_v1(bench), bench.device
    sampling = bench.params.personalization.sampling
    requests = [SampleRequest("a photo", "benchmark", k) for k in range(2 if bench.tiny else 25)]

    def run(count: int) -> None:
        sample.sample_requests(pipe, requests[:count], sampling, seed=1)

    run(sampling.batch_size)
    work = _unet_work(pipe, 1).times(2 * sampling.steps * len(requests))
    precision = bench.frozen_precision
    return bench.report(
        len(requests), work, precision, lambda: seconds_of(lambda: run(len(requests)), device)
    )


def faces(bench: Bench) -> dict[str, Any]:
    """The course's ten faces: its U-Net of 113.7 M parameters, 50 steps of DDIM, fp32."""
    device, steps, count = bench.device, 1 if bench.tiny else 50, 1 if bench.tiny else 10
    side = 32 if bench.tiny else COURSE.size
    with rng.seeded_init(1, "benchmark"):
        network = COURSE.build()
    model = ready(network, COURSE, schedule.make("linear", 1000), device)
    noises = torch.randn(count, 3, side, side, generator=rng.torch_rng(1, "benchmark"))
    setting = face_sample.Setting(steps, "course", 0.0)
    names = [str(k) for k in range(count)]

    def run(setting: face_sample.Setting) -> None:
        face_sample.sample(model, noises, names, setting, seed=1, batch=count)

    run(face_sample.Setting(1, "course", 0.0))
    times = torch.zeros(count, dtype=torch.int64, device=device)
    work = work_of(lambda: model.network(noises.to(device), times)).times(steps)
    return bench.report(count, work, "fp32", lambda: seconds_of(lambda: run(setting), device))


def clip_encoding(bench: Bench, architecture: str) -> dict[str, Any]:
    """Images through CLIP's preprocessing and image tower, in batches of 256."""
    device = bench.device
    if bench.tiny:
        design = open_clip_folder.design(bench.params.clip.network, bench.params.shapes)
        network = open_clip.CLIP(**design.model)
        preprocess: Any = design.preprocess
    else:
        network = open_clip.create_model(architecture, load_weights=False)
        preprocess = Preprocess(network.visual.preprocess_cfg)
    network.to(device).eval().requires_grad_(False)
    clip = Clip(None, network, lambda texts: torch.zeros(1), preprocess, device)  # type: ignore[arg-type]
    precision = bench.frozen_precision
    encode = image_encoder(clip, precision)
    side = bench.params.clip.network.image_size if bench.tiny else 224
    count = 2 if bench.tiny else 256
    images = [np.full((side, side, 3), k % 256, np.uint8) for k in range(count)]
    encode(images)
    pixels = torch.zeros(count, 3, side, side, device=device)
    work = work_of(lambda: network.visual(pixels))
    return bench.report(count, work, precision, lambda: seconds_of(lambda: encode(images), device))


def clip_b32(bench: Bench) -> dict[str, Any]:
    """CLIP ViT-B/32."""
    return clip_encoding(bench, "ViT-B-32-quickgelu")


def clip_l14(bench: Bench) -> dict[str, Any]:
    """CLIP ViT-L/14."""
    return clip_encoding(bench, "ViT-L-14-quickgelu")


def parameters(profile: str) -> params.Params:
    """The parameters of a profile of this repository."""
    from hw2.config import profiles

    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("params.yaml", profiles.FILE):
            Path(folder, name).write_bytes((root / name).read_bytes())
        profiles.apply(profile, Path(folder, "params.yaml"))
        return params.load(Path(folder, "params.yaml"))


WORKLOADS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "DDPM, training step": ddpm_training,
    "DDPM, sampling": ddpm_sampling,
    "DANN, training step": adaptation,
    "faces, course's U-Net": faces,
    "CLIP ViT-B/32": clip_b32,
    "CLIP ViT-L/14": clip_l14,
    "textual inversion, training step": inversion,
    "textual inversion, checkpointing": inversion_with_checkpointing,
    "Stable Diffusion, 25 images": generation,
}

"""Training of the small Stable Diffusion's autoencoder, diffusers' `AutoencoderKL`."""

from typing import Any

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

from hw2 import rng
from hw2.config import params
from hw2.pixels import from_uint8, to_uint8
from hw2.runtime.device import one_thread
from hw2.training.batch_sampler import BatchSampler
from hw2.training.ema import EMA
from hw2.training.image_batches import ImageBatches
from hw2.training.loop import Numbers, finite, train
from hw2.training.microbatches import Microbatches
from hw2.training.optimizers import adamw_and_muon, trapezoid
from hw2.training.random_streams import StepStreams
from hw2.training.resume import Resume

_NORM_GROUPS = 8
_MAX_NORM = 1.0
_WARMUP_STEPS = 50
_SCALED_IMAGES = 1000  # images whose latents give the scaling factor
_ENCODE_BATCH, _DECODE_BATCH = 250, 25


def new_autoencoder(settings: params.Autoencoder, seed: int) -> AutoencoderKL:
    """An autoencoder with initial weights; each channel level after the first halves the size."""
    levels = len(settings.channels)
    with rng.seeded_init(seed, "initial weights of the autoencoder"):
        return AutoencoderKL(
            in_channels=3,
            out_channels=3,
            down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
            block_out_channels=settings.channels,
            layers_per_block=1,
            latent_channels=settings.latent_channels,
            norm_num_groups=_NORM_GROUPS,
            mid_block_add_attention=False,
        )


def train_autoencoder(
    settings: params.Autoencoder,
    images: np.ndarray,
    *,
    seed: int,
    resume: Resume,
    device: torch.device,
) -> tuple[AutoencoderKL, list[dict[str, float]]]:
    """Train on images uint8 (N, S, S, 3).

    The loss is the absolute and the squared error of pixels, the absolute error of differences of
    neighboring pixels, which keeps edges sharp, and a small KL divergence of the latents from a
    normal distribution (Rombach et al., 2022, section 3.1).

    Returns:
        The autoencoder with averaged weights, whose `scaling_factor` gives latents a standard
        deviation of 1, and the history (rows of `step`, `loss`, `lr`).
    """
    network = new_autoencoder(settings, seed).to(device, memory_format=torch.channels_last)
    weights = list(network.parameters())
    ema = EMA(network, settings.ema_decay)
    optimizers = adamw_and_muon(
        weights, _inner_weights(network), lr=settings.lr, muon_lr=settings.muon_lr,
        weight_decay=1e-4,
    )  # fmt: skip
    sampler = BatchSampler(len(images), seed)
    batches = ImageBatches(images, lambda step: sampler.batch(step, settings.batch_size), device)
    streams = StepStreams(seed, "latent noise", settings.random_streams, device)
    microbatches = Microbatches(settings.microbatches, in_turn=device.type != "cpu")
    hint = "lower stable_diffusion.autoencoder.lr"

    def advance(step: int) -> Numbers:
        _, pixels = batches.at(step)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        side = images.shape[1] // 2 ** (len(settings.channels) - 1)
        stream, shape = streams.at(step), (len(pixels), settings.latent_channels, side, side)
        noise = torch.randn(shape, generator=stream, device=stream.device).to(device)

        def loss(rows: slice) -> Tensor:
            return _loss(network, pixels[rows], noise[rows], settings.kl_weight)

        mean_loss = microbatches.backward(loss, len(pixels), weights)
        value = finite(mean_loss, step, hint)
        nn.utils.clip_grad_norm_(weights, _MAX_NORM)
        factor = trapezoid(step, settings.steps, warmup_steps=_WARMUP_STEPS, decay_start=0.5)
        lr = optimizers.step(factor)
        ema.update(network)
        return {"loss": value, "lr": lr}

    with one_thread():
        history = train(
            advance,
            {"network": network, "ema": ema, "optimizers": optimizers},
            steps=settings.steps,
            resume=resume,
            save_every=settings.save_every,
            desc="autoencoder",
            hint=hint,
        )
    network.load_state_dict(ema.weights)
    network.to(memory_format=torch.contiguous_format).eval().requires_grad_(False)
    network.register_to_config(scaling_factor=1.0)
    spread = float(encode(network, images[:_SCALED_IMAGES]).std())
    network.register_to_config(scaling_factor=1 / spread)
    return network, history


@torch.inference_mode()
def encode(network: Any, images: np.ndarray) -> Tensor:
    """Scaled latents float32 (N, C, h, w), on the CPU, of images uint8 (N, S, S, 3)."""
    scale = network.config.scaling_factor

    def latents(batch: np.ndarray) -> Tensor:
        pixels = from_uint8(batch).to(network.device)
        return (network.encode(pixels).latent_dist.mean * scale).cpu()

    starts = range(0, len(images), _ENCODE_BATCH)
    return torch.cat([latents(images[k : k + _ENCODE_BATCH]) for k in starts]).clone()


@torch.inference_mode()
def reconstructed(network: Any, images: np.ndarray) -> np.ndarray:
    """Images uint8 (N, S, S, 3), encoded and decoded: the best that the model can show of them."""
    parts = []
    for start in range(0, len(images), _DECODE_BATCH):
        pixels = from_uint8(images[start : start + _DECODE_BATCH])
        latents = network.encode(pixels.to(network.device, network.dtype)).latent_dist.mean
        parts.append(to_uint8(network.decode(latents).sample))
    return np.concatenate(parts)


def _loss(network: AutoencoderKL, pixels: Tensor, noise: Tensor, kl_weight: float) -> Tensor:
    latents = network.encode(pixels).latent_dist
    error = network.decode(latents.mean + latents.std * noise).sample - pixels
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    pixel = error.abs().mean() + error.square().mean() + 0.5 * edges
    return pixel + kl_weight * latents.kl().mean()


def _inner_weights(network: AutoencoderKL) -> list[Tensor]:
    """Convolutions between features, which Muon may train."""
    ends = ("conv_in.weight", "conv_out.weight")
    return [
        weight
        for name, weight in network.named_parameters()
        if weight.ndim == 4 and weight.shape[-1] == 3 and not name.endswith(ends)
    ]


def identity(settings: params.Autoencoder, shapes: params.Shapes, seed: int) -> dict[str, Any]:
    """Everything that changes the result of the training, except code; `save_every` does not."""
    return {
        "autoencoder": settings.model_dump(mode="json", exclude={"save_every"}),
        "seed": seed,
        "shapes": shapes.model_dump(mode="json", exclude={"test_images_per_class"}),
    }

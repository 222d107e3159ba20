"""Training of the small Stable Diffusion, a diffusers pipeline, from scratch."""

import hashlib
import logging
from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from hw2 import rng
from hw2.clip.weights import WEIGHTS
from hw2.config import params
from hw2.diffusion.objective import min_snr_v_weights
from hw2.diffusion.schedule import Schedule
from hw2.models.patch_codec import PatchCodec
from hw2.pixels import from_uint8
from hw2.shapes import scenes
from hw2.stable_diffusion import text_encoder
from hw2.training.denoising import DenoisingDataset, train_denoiser
from hw2.training.resume import Resume

# The codec is fitted to this many images. Its squared error on other images is within 0.1 % of that
# of a codec fitted to 20,000.
_CODEC_IMAGES = 3000
# Images are encoded in parts of this size: as float32 a part takes 12 MB at 32 pixels.
_ENCODE_BATCH = 1000
_NORM_GROUPS = 8  # divides the channels of every level, which are multiples of 8
# Exponent of `DenoisingDataset.time_power`. It moves 69 % of the training times into the noisier
# half of the schedule, where the model decides on the shape; with 1 it would be 50 %.
_TIME_POWER = 0.6


class Captioned(nn.Module):
    """A U-Net that predicts clean latents x0 from noisy ones and the index of a caption.

    It predicts x0 because a narrow network can carry clean latents, but not the noise of 16
    channels, from its input to its output (Li & He, 2025).

    Args:
        unet: A function of (latents, times, encoder_hidden_states).
        states: float (captions, context, width); the last row is the empty caption.
    """

    def __init__(self, unet: UNet2DConditionModel, states: Tensor) -> None:
        super().__init__()
        self.unet = unet
        self.tables = [states]  # in a list, to keep them out of weights and resume files

    def inner_weights(self) -> list[Tensor]:
        """Matrices and convolutions between the first and the last, which Muon may train."""
        inner = ("down_blocks", "mid_block", "up_blocks")
        return [
            p for name, p in self.unet.named_parameters() if p.ndim > 1 and name.startswith(inner)
        ]

    def forward(self, xt: Tensor, t: Tensor, captions: Tensor) -> Tensor:
        [states] = self.tables
        return self.unet(xt, t, encoder_hidden_states=states[captions]).sample


def scheduler() -> DDIMScheduler:
    """A DDIM scheduler for a network that predicts x0.

    It has Stable Diffusion's betas, rescaled to end in pure noise (Lin et al., 2024).
    """
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,  # required by diffusers; trailing spacing ignores it
        clip_sample=False,
        set_alpha_to_one=True,
        prediction_type="sample",
        timestep_spacing="trailing",
        rescale_betas_zero_snr=True,
    )


def train_stable_diffusion(
    stable_diffusion: params.StableDiffusion,
    shapes: params.Shapes,
    clip_model: Path,
    resume: Resume,
    device: torch.device,
) -> tuple[StableDiffusionPipeline, list[dict[str, float]]]:
    """Train on the captioned images that the small CLIP was trained on.

    The CLIP's text tower is the text encoder, frozen. The images show no concept of
    `hw2.personalization.synthetic`.

    Returns:
        The pipeline with averaged weights, and the history (rows of `step`, `loss`, `lr`).
    """
    encoder, tokenizer = text_encoder.convert(clip_model)
    captioned = scenes.training(shapes.train_images, shapes.image_size, shapes.seed)
    codec = PatchCodec.fit(
        from_uint8(captioned.images[:_CODEC_IMAGES]),
        stable_diffusion.latent.channels,
        stable_diffusion.latent.patch_size,
        stable_diffusion.latent.whitening,
    )
    captions = list(dict.fromkeys(captioned.captions))
    caption_indices = {caption: k for k, caption in enumerate(captions)}
    states = text_encoder.encode(encoder, tokenizer, [*captions, ""]).to(device)
    schedule = Schedule(scheduler().alphas_cumprod.double())
    dataset = DenoisingDataset(
        _latents(codec, captioned.images),
        torch.tensor([caption_indices[caption] for caption in captioned.captions]),
        null_label=len(captions),
        p_uncond=stable_diffusion.train.p_uncond,
        schedule=schedule,
        prediction="x0",
        loss_weights=min_snr_v_weights(schedule),
        time_power=_TIME_POWER,
    )
    unet = _new_unet(stable_diffusion, shapes.image_size, states.shape[-1])
    network = Captioned(unet, states).to(device)
    layout = (
        torch.channels_last if stable_diffusion.train.channels_last else torch.contiguous_format
    )
    averaged, history = train_denoiser(
        network.to(memory_format=layout),
        dataset,
        stable_diffusion.train,
        seed=stable_diffusion.seed,
        resume=resume,
        device=device,
        name="stable_diffusion",
    )
    network.load_state_dict(averaged)
    unet.cpu().to(memory_format=torch.contiguous_format).eval()
    return assemble(codec, encoder, tokenizer, unet), history


def assemble(codec: Any, encoder: Any, tokenizer: Any, unet: Any) -> StableDiffusionPipeline:
    """A standard diffusers pipeline of these components."""
    log = logging.getLogger("diffusers")
    previous_level = log.level
    log.setLevel(logging.ERROR)  # it warns that the codec is not an AutoencoderKL
    try:
        return StableDiffusionPipeline(
            vae=codec,
            text_encoder=encoder,
            tokenizer=tokenizer,
            unet=unet,
            scheduler=scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    finally:
        log.setLevel(previous_level)


@torch.no_grad()
def _latents(codec: PatchCodec, images: Any) -> Tensor:
    """Scaled latents float32 (N, C, h, w) of images uint8 (N, S, S, 3)."""
    batches = (
        from_uint8(images[k : k + _ENCODE_BATCH]) for k in range(0, len(images), _ENCODE_BATCH)
    )
    scale = codec.config.scaling_factor
    return torch.cat([codec.encode(batch).latent_dist.mean * scale for batch in batches])


def _new_unet(
    stable_diffusion: params.StableDiffusion, size: int, width: int
) -> UNet2DConditionModel:
    """A new U-Net; text is also added to the time embedding, or shapes are learned late."""
    network, levels = stable_diffusion.network, len(stable_diffusion.network.channel_mult)
    with rng.seeded_init(stable_diffusion.seed, "initial weights"):
        return UNet2DConditionModel(
            sample_size=size // stable_diffusion.latent.patch_size,
            in_channels=stable_diffusion.latent.channels,
            out_channels=stable_diffusion.latent.channels,
            block_out_channels=tuple(network.base_channels * m for m in network.channel_mult),
            layers_per_block=1,
            down_block_types=("CrossAttnDownBlock2D",) * levels,
            up_block_types=("CrossAttnUpBlock2D",) * levels,
            cross_attention_dim=width,
            attention_head_dim=network.heads,  # in this class the number of heads
            norm_num_groups=_NORM_GROUPS,
            use_linear_projection=True,
            addition_embed_type="text",
            addition_embed_type_num_heads=4,
            resnet_time_scale_shift="scale_shift",
        )


def identity(
    stable_diffusion: params.StableDiffusion, shapes: params.Shapes, clip_model: Path
) -> dict[str, Any]:
    """Everything that changes the result of the training, except code; `save_every` does not."""
    included = {"seed": True, "latent": True, "network": True, "train": True}
    return {
        "stable_diffusion": stable_diffusion.model_dump(
            mode="json", include=included, exclude={"train": {"save_every"}}
        ),
        "shapes": shapes.model_dump(mode="json", include={"train_images", "image_size", "seed"}),
        "clip": hashlib.sha256((clip_model / WEIGHTS[0]).read_bytes()).hexdigest(),
    }

"""Training of the small Stable Diffusion, a diffusers pipeline, from scratch."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from hw2 import rng
from hw2.clip.weights import WEIGHTS
from hw2.config import params
from hw2.diffusion import timestep_distribution
from hw2.diffusion.objective import min_snr_v_weights
from hw2.diffusion.schedule import Schedule
from hw2.runtime.device import one_thread
from hw2.shapes import scenes, vocabulary
from hw2.stable_diffusion import autoencoder, style_embedding, text_encoder
from hw2.stable_diffusion.style_embedding import StyleEmbedding
from hw2.training.denoising import DenoisingDataset, train_denoiser
from hw2.training.resume import Resume

_NORM_GROUPS = 1  # kernels for small groups are slower than the convolutions they follow
# It moves 69 % of the training times into the noisier half of the schedule, where the model decides
# on the shape.
_QUANTILES = timestep_distribution.power(0.6)


class Captioned(nn.Module):
    """A U-Net that predicts clean latents x0 from noisy ones and the index of a caption.

    It predicts x0 because a narrow network can carry clean latents, but not their noise, from its
    input to its output (Li & He, 2025).

    Args:
        unet: A function of (latents, times, encoder_hidden_states).
        encoder: The text encoder, which is trained as well: CLIP's contrastive loss teaches which
            noun an image shows, but hardly how the parts of its object are arranged.
        style: Gives the embeddings that the token `style_token` has, each in its caption.
        style_token: The id of the token; None if there are no styles.
        ids: Token ids int (captions, context); the last row is the empty caption.
        features: What the style of each caption does, float (captions, F).
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        encoder: Any,
        style: StyleEmbedding,
        style_token: int | None,
        ids: Tensor,
        features: Tensor,
    ) -> None:
        super().__init__()
        self.unet = unet
        self.encoder = encoder
        self.style = style
        self._style_token = style_token
        self._captions = (ids, features)  # in a tuple, to keep them out of weights and resume files

    def inner_weights(self) -> list[Tensor]:
        """Matrices and convolutions between the first and the last, which Muon may train."""
        inner = ("down_blocks", "mid_block", "up_blocks")
        return [
            p for name, p in self.unet.named_parameters() if p.ndim > 1 and name.startswith(inner)
        ]

    def forward(self, xt: Tensor, t: Tensor, captions: Tensor) -> Tensor:
        ids, features = (rows[captions] for rows in self._captions)
        embeddings = self.encoder.get_input_embeddings()(ids.long())
        if self._style_token is not None:
            computed = self.style(features).to(embeddings)[:, None]
            embeddings = torch.where((ids == self._style_token)[..., None], computed, embeddings)
        states = text_encoder.hidden_states(self.encoder, embeddings)
        return self.unet(xt, t, encoder_hidden_states=states).sample


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
    autoencoder_resume: Resume,
    resume: Resume,
    device: torch.device,
) -> tuple[StableDiffusionPipeline, list[dict[str, float]], list[dict[str, float]]]:
    """Train the autoencoder and then the U-Net on captioned images.

    They are the scenes that the small CLIP was trained on, but each that is in a style has one of
    its own; none shows a concept of `hw2.personalization.synthetic`. The text encoder starts as the
    CLIP's text tower and is trained with the U-Net.

    Returns:
        The pipeline with averaged weights, and the histories of the autoencoder and of the U-Net
        (rows of `step`, `loss`, `lr`).
    """
    encoder, tokenizer = text_encoder.convert(clip_model)
    captioned = scenes.training(shapes, own_styles=True)
    codec, codec_history = autoencoder.train_autoencoder(
        stable_diffusion.autoencoder,
        captioned.images[: stable_diffusion.autoencoder.images],
        seed=stable_diffusion.seed,
        resume=autoencoder_resume,
        device=device,
    )
    chosen = _chosen(captioned.of_one_noun, stable_diffusion)
    captions = [*(captioned.captions[row] for row in chosen), ""]
    features = style_embedding.features(
        captioned.styles[np.append(chosen, 0)]
    )  # the last has no style
    style_tokens = _style_tokens(tokenizer, shapes.num_styles)
    dataset = _dataset(autoencoder.encode(codec, captioned.images[chosen]), stable_diffusion)
    unet = _new_unet(stable_diffusion, tuple(dataset.images.shape), encoder.config.hidden_size)
    if device.type == "cpu":  # fused attention has a slow backward pass there
        unet.set_attn_processor(AttnProcessor())
    with rng.seeded_init(stable_diffusion.seed, "style embedding"):
        style = StyleEmbedding(encoder.config.hidden_size)
    network = Captioned(
        unet,
        encoder.requires_grad_(True),
        style,
        style_tokens[0] if style_tokens else None,
        text_encoder.token_ids(tokenizer, captions).to(device),
        features.to(device),
    ).to(device)
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
    encoder.cpu().requires_grad_(False)
    _embed_names(encoder, style.cpu(), style_tokens)
    return assemble(codec.cpu(), encoder, tokenizer, unet), codec_history, history


def _dataset(latents: Tensor, stable_diffusion: params.StableDiffusion) -> DenoisingDataset:
    """Noisy latents, each labeled with the index of its caption; the empty one is the last."""
    schedule = Schedule(scheduler().alphas_cumprod.double())
    return DenoisingDataset(
        latents,
        torch.arange(len(latents)),
        null_label=len(latents),
        p_uncond=stable_diffusion.train.p_uncond,
        schedule=schedule,
        prediction="x0",
        loss_weights=min_snr_v_weights(schedule),
        quantiles=_QUANTILES,
    )


def _style_tokens(tokenizer: Any, count: int) -> list[int]:
    """The ids of the names of the first `count` styles."""
    vocabulary_ids = tokenizer.get_vocab()
    return [vocabulary_ids[f"{name}</w>"] for name in vocabulary.style_names(count)]


def _embed_names(encoder: Any, style: StyleEmbedding, tokens: list[int]) -> None:
    """Give the named styles their computed embeddings, which a stock pipeline reads."""
    if tokens:
        meanings = vocabulary.style_meanings(len(tokens))
        with torch.no_grad(), one_thread():
            table = encoder.get_input_embeddings().weight
            table[tokens] = style(style_embedding.features(meanings)).to(table)


def _chosen(of_one_noun: np.ndarray, stable_diffusion: params.StableDiffusion) -> np.ndarray:
    """Rows of the images that the U-Net learns from: int (n,), in order."""
    drawn = rng.numpy_rng(stable_diffusion.seed, "other images").random(len(of_one_noun))
    return np.flatnonzero(of_one_noun | (drawn < stable_diffusion.other_images))


def assemble(codec: Any, encoder: Any, tokenizer: Any, unet: Any) -> StableDiffusionPipeline:
    """A standard diffusers pipeline of these components."""
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


def _new_unet(
    stable_diffusion: params.StableDiffusion, latents: tuple[int, ...], width: int
) -> UNet2DConditionModel:
    """A new U-Net for latents of the shape (N, C, h, w).

    Text is also added to the time embedding; without it, shapes are learned late.

    The finest level has no cross-attention, which would be half of the cost.
    """
    network = stable_diffusion.network
    coarse = len(network.channel_mult) - 1
    with rng.seeded_init(stable_diffusion.seed, "initial weights"):
        return UNet2DConditionModel(
            sample_size=latents[-1],
            in_channels=latents[1],
            out_channels=latents[1],
            block_out_channels=tuple(network.base_channels * m for m in network.channel_mult),
            layers_per_block=1,
            down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * coarse),
            up_block_types=(*("CrossAttnUpBlock2D",) * coarse, "UpBlock2D"),
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
    excluded = {"train": {"save_every"}, "autoencoder": {"save_every"}}
    names = ("seed", "autoencoder", "network", "other_images", "train")
    included = dict.fromkeys(names, True)
    return {
        "stable_diffusion": stable_diffusion.model_dump(
            mode="json", include=included, exclude=excluded
        ),
        "shapes": shapes.model_dump(mode="json", exclude={"test_images_per_class"}),
        "clip": hashlib.sha256((clip_model / WEIGHTS[0]).read_bytes()).hexdigest(),
    }

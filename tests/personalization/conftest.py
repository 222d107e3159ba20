"""A pipeline of Stable Diffusion v1's architecture with small widths and random weights."""

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel

from hw2.clip import open_clip_folder as clip_folder
from hw2.config import params
from hw2.stable_diffusion import text_encoder

sys.path.insert(0, str(Path(__file__).parent))  # the import mode `importlib` leaves this to us


def _new_pipeline(mini: params.Params) -> Any:
    merges = gzip.decompress(clip_folder.design(mini.clip.network).merges).decode()
    tokenizer = text_encoder._tokenizer(merges, 77)
    size = len(tokenizer)
    encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=size, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=4, max_position_embeddings=77, projection_dim=32,
            bos_token_id=size - 2, eos_token_id=size - 1, pad_token_id=size - 1,
        )
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=2,
        block_out_channels=(32, 32, 64, 64), cross_attention_dim=32, attention_head_dim=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(32, 32, 32, 32), layers_per_block=2, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        sample_size=64, scaling_factor=0.18215,
    )  # fmt: skip
    scheduler = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True,
        set_alpha_to_one=False, steps_offset=1,
    )  # fmt: skip
    return StableDiffusionPipeline(
        vae, encoder, tokenizer, unet, scheduler, None, None, requires_safety_checker=False
    )


@pytest.fixture(scope="session")
def v1(mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pipeline as a diffusers folder."""
    path = tmp_path_factory.mktemp("v1") / "model"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        _new_pipeline(mini).save_pretrained(path)
    return path


@pytest.fixture
def stable(mini: params.Params, v1: Path) -> params.StableDiffusion:
    return mini.stable_diffusion.model_copy(update={"weights": str(v1)})


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Stand-ins for photographs: three for each of the course's keys, of different sizes."""
    stream = np.random.Generator(np.random.PCG64(1))
    for key in ("0", "1", "cat"):
        folder = tmp_path / "photographs" / key
        folder.mkdir(parents=True)
        for number, size in enumerate(((80, 64), (64, 90), (70, 70))):
            pixels = stream.integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number:02d}.jpg", quality=90)
    return tmp_path / "photographs"

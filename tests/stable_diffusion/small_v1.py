"""Fixtures: Stable Diffusion v1's architecture with small widths and random weights, as files."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from compvis import state_dict
from diffusers import (
    AutoencoderKL,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel

from hw2.clip import open_clip_folder as clip_folder
from hw2.clip.tokenizer import transformers_tokenizer
from hw2.config import params
from hw2.stable_diffusion import load


def _new_pipeline(mini: params.Params) -> Any:
    merges = clip_folder.design(mini.clip.network, mini.shapes).merges
    tokenizer = transformers_tokenizer(merges, 77)
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
def stable_diffusion(mini: params.Params, v1: Path) -> params.StableDiffusion:
    """Section `stable_diffusion` with the folder as weights."""
    return mini.stable_diffusion.model_copy(update={"weights": str(v1)})


@pytest.fixture(scope="session")
def checkpoint(v1: Path, mini: params.Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights in CompVis' format, with the other entries of a Lightning checkpoint."""
    path = tmp_path_factory.mktemp("ckpt") / "sd-v1.ckpt"
    pipe = load.load(
        mini.stable_diffusion.model_copy(update={"weights": str(v1)}), v1, torch.device("cpu")
    )
    position_ids = "cond_stage_model.transformer.text_model.embeddings.position_ids"
    other_entries = {
        "betas": torch.zeros(1000),
        "model_ema.decay": torch.tensor(0.9999),
        position_ids: torch.arange(77)[None],
    }
    callbacks = ModuleType("pytorch_lightning.callbacks.model_checkpoint")
    kind = type("ModelCheckpoint", (), {"__module__": callbacks.__name__})
    callbacks.ModelCheckpoint = kind  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        for module in ("pytorch_lightning", "pytorch_lightning.callbacks"):
            patch.setitem(sys.modules, module, ModuleType(module))
        patch.setitem(sys.modules, callbacks.__name__, callbacks)
        saved = {"global_step": 7, "callbacks": {kind: {"best_model_path": ""}}}
        torch.save(saved | {"state_dict": other_entries | state_dict(pipe)}, path)
    return path

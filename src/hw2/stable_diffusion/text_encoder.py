"""The small CLIP's text tower as transformers' `CLIPTextModel`, with its tokenizer."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from hw2.clip.weights import CONFIG, WEIGHTS
from hw2.runtime.errors import UserError

_BLOCK_NAMES = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


def convert(folder: Path) -> tuple[CLIPTextModel, CLIPTokenizer]:
    """The text tower and the tokenizer of the small CLIP in `folder`, frozen.

    Raises:
        UserError: if the folder does not hold such a model.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["model_cfg"]
        weights = load_file(folder / WEIGHTS[0])
        tokenizer = CLIPTokenizer.from_pretrained(folder)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise UserError(f"{folder}: no small CLIP ({error}); run `dvc repro clip_train`") from error
    text = config["text_cfg"]
    model = CLIPTextModel(_config(text, config["embed_dim"]))
    missing, unexpected = model.load_state_dict(_renamed(weights, text["layers"]), strict=False)
    if unexpected or any("position_ids" not in name for name in missing):
        raise UserError(
            f"{folder}: text tower does not fit {[*missing, *unexpected][:3]}; remake it"
        )
    return model.eval().requires_grad_(False), tokenizer


def _config(text: dict[str, Any], embed: int) -> CLIPTextConfig:
    size = text["vocab_size"]
    return CLIPTextConfig(
        vocab_size=size,
        hidden_size=text["width"],
        intermediate_size=4 * text["width"],
        num_hidden_layers=text["layers"],
        num_attention_heads=text["heads"],
        max_position_embeddings=text["context_length"],
        projection_dim=embed,
        hidden_act="gelu",
        bos_token_id=size - 2,
        eos_token_id=size - 1,
        pad_token_id=size - 1,
    )


def _renamed(weights: dict[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Weights of open_clip by their names in transformers."""
    renamed = {
        "embeddings.token_embedding.weight": weights["token_embedding.weight"],
        "embeddings.position_embedding.weight": weights["positional_embedding"],
        "final_layer_norm.weight": weights["ln_final.weight"],
        "final_layer_norm.bias": weights["ln_final.bias"],
    }
    for k in range(layers):
        source, target = f"transformer.resblocks.{k}", f"encoder.layers.{k}"
        for kind in ("weight", "bias"):
            for open_clip_name, transformers_name in _BLOCK_NAMES.items():
                name = f"{target}.{transformers_name}.{kind}"
                renamed[name] = weights[f"{source}.{open_clip_name}.{kind}"]
            projections = weights[f"{source}.attn.in_proj_{kind}"].chunk(3)
            for letter, value in zip(("q", "k", "v"), projections, strict=True):
                renamed[f"{target}.self_attn.{letter}_proj.{kind}"] = value.contiguous()
    return renamed


def hidden_states(model: CLIPTextModel, embeddings: Tensor) -> Tensor:
    """What `model` gives for token ids (N, context), from their embeddings.

    Args:
        model: The text tower.
        embeddings: Embeddings float (N, context, width) of the tokens, without positions.

    Returns:
        The last hidden states, float (N, context, width).
    """
    placed = model.embeddings(inputs_embeds=embeddings)
    # Every token sees those before it alone.
    encoded = model.encoder(inputs_embeds=placed, attention_mask=None, is_causal=True)
    return model.final_layer_norm(encoded.last_hidden_state)


def token_ids(tokenizer: Any, texts: list[str], batch_size: int = 5000) -> Tensor:
    """Token ids int16 (N, context), padded as the pipeline pads them."""
    return torch.cat(
        [
            tokenizer(
                texts[start : start + batch_size],
                padding="max_length",
                max_length=tokenizer.model_max_length,
                truncation=True,
                return_tensors="pt",
            ).input_ids.to(torch.int16)
            for start in range(0, len(texts), batch_size)
        ]
    )

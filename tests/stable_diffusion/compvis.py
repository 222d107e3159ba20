"""Keys of CompVis' single file for the parts of a Stable Diffusion v1 pipeline."""

from typing import Any

from torch import Tensor

_RESNET = {
    **{"norm1": "in_layers.0", "conv1": "in_layers.2", "norm2": "out_layers.0"},
    **{
        "conv2": "out_layers.3",
        "time_emb_proj": "emb_layers.1",
        "conv_shortcut": "skip_connection",
    },
}
_VAE_ATTENTION = {
    **{"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"},
}


def state_dict(pipe: Any) -> dict[str, Tensor]:
    """All weights of a pipeline under the keys of `sd-v1-4.ckpt`."""
    weights = {f"model.diffusion_model.{_unet(k)}": v for k, v in pipe.unet.state_dict().items()}
    for key, value in pipe.vae.state_dict().items():
        name, matrix = _vae(key)
        weights[f"first_stage_model.{name}"] = value[..., None, None] if matrix else value
    for key, value in pipe.text_encoder.state_dict().items():
        weights[f"cond_stage_model.transformer.text_model.{key}"] = value
    return {key: value.clone().contiguous() for key, value in weights.items()}


def _unet(key: str) -> str:
    ends = {
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
    }
    for ours, theirs in ends.items():
        if key.startswith(f"{ours}."):
            return key.replace(ours, theirs, 1)
    block, *rest = key.split(".")
    if block == "mid_block":
        kind, index, *tail = rest
        where = "middle_block.1" if kind == "attentions" else f"middle_block.{2 * int(index)}"
    else:
        level, kind, index, *tail = rest
        i, j = int(level), int(index)
        if block == "down_blocks":
            where = f"input_blocks.{3 * i + j + 1}.{0 if kind == 'resnets' else 1}"
            if kind == "downsamplers":
                where, tail = f"input_blocks.{3 * i + 3}.0", ["op", *tail[1:]]
        else:
            where = f"output_blocks.{3 * i + j}.{0 if kind == 'resnets' else 1}"
            if kind == "upsamplers":
                where = f"output_blocks.{3 * i + 2}.{1 if i == 0 else 2}"
    if kind == "resnets":
        tail = [_RESNET[tail[0]], *tail[1:]]
    return ".".join([where, *tail])


def _vae(key: str) -> tuple[str, bool]:
    """The key, and whether a matrix of diffusers is a 1x1 convolution in the file."""
    parts = key.split(".")
    if "mid_block" in parts:
        side, _, kind, index, *tail = parts
        if kind == "attentions":
            name, end = ".".join(tail[:-1]), tail[-1]
            return f"{side}.mid.attn_1.{_VAE_ATTENTION[name]}.{end}", (
                end == "weight" and name != "group_norm"
            )
        return f"{side}.mid.block_{int(index) + 1}.{'.'.join(tail)}", False
    if len(parts) > 2 and parts[1] in ("down_blocks", "up_blocks"):
        side, block, level, kind, index, *tail = parts
        i = int(level) if block == "down_blocks" else 3 - int(level)
        direction = "down" if block == "down_blocks" else "up"
        if kind == "resnets":
            rest = ".".join(tail).replace("conv_shortcut", "nin_shortcut")
            return f"{side}.{direction}.{i}.block.{index}.{rest}", False
        return f"{side}.{direction}.{i}.{direction}sample.{'.'.join(tail)}", False
    return key.replace("conv_norm_out", "norm_out"), False

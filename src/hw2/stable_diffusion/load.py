"""Loading of Stable Diffusion: the trained model, a diffusers folder, or a CompVis checkpoint."""

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import torch
from diffusers.models.attention_processor import AttnProcessor
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers.utils import logging as transformers_logging

from hw2.config import params
from hw2.io import hub, manifest, torch_files
from hw2.runtime.device import fastest_precision
from hw2.runtime.errors import UserError
from hw2.training.precision import autocast

_HINT = "give a .ckpt or .safetensors of CompVis, with stable_diffusion.config"
_SINGLE_FILE_SUFFIXES = (".ckpt", ".safetensors")
_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_NETWORKS = ("unet", "vae", "text_encoder")


class _Unused:
    """Stands for an object of the program that wrote a checkpoint; only tensors are read."""

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...


_OF_OTHER_PROGRAMS = (
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint",
    # Scalars and arrays of NumPy, as those of a callback or of a scheduler.
    *(
        f"numpy.{module}.multiarray.{name}"
        for module in ("core", "_core")
        for name in ("scalar", "_reconstruct")
    ),
    *("numpy.dtype", "numpy.ndarray", "_codecs.encode"),
)


def load(
    stable_diffusion: params.StableDiffusion,
    trained_folder: Path,
    device: torch.device,
    *,
    trainable: bool = False,
) -> Any:
    """Load the pipeline, frozen and in evaluation mode, without a safety checker.

    Args:
        stable_diffusion: Section `stable_diffusion`.
        trained_folder: Folder of the model that this pipeline trains, for `weights: trained`.
        device: Device of the networks.
        trainable: Keep the weights of the U-Net in fp32 on every device, for a training that adds
            small changes to them, which half precision would round away.

    Raises:
        UserError: if the model is missing, or is not a Stable Diffusion with a single text encoder.
    """
    with _quiet():
        try:
            pipe = _open(stable_diffusion, trained_folder)
        except UserError:
            raise
        except Exception as error:  # diffusers raises many exception types
            message = " ".join(str(error).split())[:160]
            raise UserError(
                f"stable_diffusion.weights: {stable_diffusion.weights} cannot be"
                f" loaded ({message}); give a diffusers folder, a hub id with a network to fetch"
                " it, or a .ckpt with stable_diffusion.config"
            ) from error
        _check(pipe, stable_diffusion)
        in_fp32 = trainable and device.type != "cpu"  # a CPU keeps them in fp32 anyway
        _prepare(pipe, "fp32" if in_fp32 else stable_diffusion.precision, device)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _prepare(pipe: Any, precision: str, device: torch.device) -> None:
    """Move the networks to the device, frozen, in evaluation mode and in this precision.

    On a CPU, weights stay in fp32 and only the U-Net's operations are in bf16: memory is not short
    there.
    """
    if precision == "auto":
        precision = fastest_precision(device)
    on_cpu = device.type == "cpu"
    dtype = torch.float32 if on_cpu and precision == "bf16" else _PRECISIONS[precision]
    for name in _NETWORKS:
        network = getattr(pipe, name)
        # The text encoder stays in fp32: its new embeddings are trained, and it is small.
        network.to(device, torch.float32 if name == "text_encoder" else dtype)
        network.eval().requires_grad_(False)
        if not on_cpu and name != "text_encoder":
            network.to(memory_format=torch.channels_last)  # what tensor cores convolve
        _align(network)
    pipe.unet.register_forward_pre_hook(_cast_text_features, with_kwargs=True)
    if on_cpu:  # fused attention has a slow backward pass there
        pipe.unet.set_attn_processor(AttnProcessor())
    if on_cpu and precision == "bf16":
        pipe.unet.forward = _in_bf16(pipe.unet.forward)


def _in_bf16(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A U-Net's function with products and convolutions in bf16, from fp32 to fp32."""

    @wraps(forward)
    def wrapped(*args: Any, return_dict: bool = True, **kwargs: Any) -> Any:
        with autocast(torch.device("cpu"), "bf16"):
            (output,) = forward(*args, return_dict=False, **kwargs)
        # Guidance multiplies the difference of two outputs, and would do so with its rounding.
        output = output.float()
        return UNet2DConditionOutput(sample=output) if return_dict else (output,)

    return wrapped


def _align(network: nn.Module) -> None:
    """Copy the weights into aligned memory.

    Weights that are mapped from a file lie at any address, and the last bits of a product depend on
    it: the same model as a folder and as a .ckpt would not give the same images.
    """
    for tensor in (*network.parameters(), *network.buffers()):
        tensor.data = tensor.data.clone()


def _cast_text_features(unet: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Cast text features to the U-Net's dtype: diffusers passes them on in the text encoder's."""
    states = kwargs["encoder_hidden_states"].to(unet.dtype)
    return args, kwargs | {"encoder_hidden_states": states}


def image_size(pipe: Any) -> int:
    """Image height and width in pixels."""
    return int(pipe.unet.config.sample_size * pipe.vae_scale_factor)


def digest(pipe: Any) -> str:
    """A digest of the U-Net's weights, by their absolute sums."""
    sums = [float(p.double().abs().sum()) for _, p in sorted(pipe.unet.named_parameters())]
    return f"{sum(sums):.9e} {len(sums)}"


def _open(stable_diffusion: params.StableDiffusion, trained_folder: Path) -> Any:
    if stable_diffusion.weights == "trained":
        if not (trained_folder / "model_index.json").is_file():
            raise UserError(f"{trained_folder}: no model; run `dvc repro stable_diffusion_train`")
        return StableDiffusionPipeline.from_pretrained(trained_folder)
    path = Path(stable_diffusion.weights)
    if path.suffix.lower() in _SINGLE_FILE_SUFFIXES:
        if not path.is_file():
            raise UserError(
                f"stable_diffusion.weights: no file {path}; download it, or correct the path"
            )
        torch_files.refuse_other_files(path, _HINT)
        return _open_single_file(path, stable_diffusion.config)
    if path.is_file():
        raise UserError(f"stable_diffusion.weights: {path} has an unknown suffix; {_HINT}")
    local = path.is_dir()
    manifest.check(path)
    if local and stable_diffusion.revision is not None:
        raise UserError(
            f"stable_diffusion.revision: {path} is a folder, which has no commits; set it to null"
        )
    return StableDiffusionPipeline.from_pretrained(
        str(path) if local else stable_diffusion.weights,
        revision=stable_diffusion.revision,
        local_files_only=local
        or hub.is_only_cached(
            "stable_diffusion.weights",
            stable_diffusion.weights,
            stable_diffusion.revision,
            hub.DIFFUSERS_WEIGHTS,
        ),
        safety_checker=None,
        requires_safety_checker=False,
    )


def _open_single_file(path: Path, config: str | None) -> Any:
    """Load a CompVis checkpoint; only tensors of the file are read."""
    options: dict[str, Any] = {} if config is None else {"config": config}
    if config is None:
        options["local_files_only"] = hub.unavailable() is not None
    elif not Path(config).is_dir():
        options["local_files_only"] = hub.is_only_cached(
            "stable_diffusion.config", config, None, ("model_index.json",)
        )
    with tempfile.TemporaryDirectory() as temporary:
        plain = Path(temporary) / "model.safetensors"  # diffusers knows no suffix in capitals
        if path.suffix.lower() == ".ckpt":
            save_file(_read_checkpoint(path), plain)
        else:
            plain.symlink_to(path.absolute())
        return StableDiffusionPipeline.from_single_file(str(plain), safety_checker=None, **options)


def _read_checkpoint(path: Path) -> dict[str, Tensor]:
    placeholders = [(_Unused, name) for name in _OF_OTHER_PROGRAMS]
    saved = torch_files.load(path, _HINT, placeholders=placeholders)
    state = saved.get("state_dict", saved) if isinstance(saved, Mapping) else None
    if not isinstance(state, Mapping):
        raise UserError(f"{path}: a {type(saved).__name__}, not a state dict; {_HINT}")
    return {k: v.clone().contiguous() for k, v in state.items() if isinstance(v, Tensor)}


def _check(pipe: Any, stable_diffusion: params.StableDiffusion) -> None:
    if not isinstance(pipe, StableDiffusionPipeline):
        raise UserError(
            f"stable_diffusion.weights: {stable_diffusion.weights} is a {type(pipe).__name__};"
            " give one with a single text encoder, as v1-4 and v1-5"
        )
    # transformers creates a tokenizer of two tokens if its files are missing.
    tokens, rows = len(pipe.tokenizer), pipe.text_encoder.get_input_embeddings().weight.shape[0]
    if tokens != rows:
        raise UserError(
            f"stable_diffusion.weights: {stable_diffusion.weights} has a tokenizer of"
            f" {tokens} tokens and {rows} rows in its text encoder; complete its tokenizer folder"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the libraries' progress bars, and their warnings about an unknown VAE class."""
    log = logging.getLogger("diffusers")
    level = log.level
    log.setLevel(logging.ERROR)
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)

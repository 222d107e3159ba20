"""How much GPU memory the largest trainings will need, from the parameters alone.

The sums count weights, gradients, the states of optimizers and what a forward pass keeps for the
backward pass. They need no torch, and tests compare them with what the networks really keep.
Sampling without gradients needs less than the training of the same network.
"""

from collections.abc import Collection, Iterator
from itertools import pairwise
from math import ceil
from pathlib import Path

from hw2.config import params
from hw2.io import hub

_FLOAT = 4  # bytes
_COPIES = 5  # of the weights: themselves, their gradient, two moments of Adam, their average
_CONTEXT = 0.8e9  # bytes of the CUDA context and the libraries' workspaces, an estimate

# Stable Diffusion v1 at 512x512 pixels: its weights, and the bytes that a forward pass in bf16
# keeps for each image. With gradient checkpointing these are the inputs of all blocks, and what the
# largest block keeps when it is computed again.
SD_FROZEN_WEIGHTS = 859_520_964 + 83_653_863  # of U-Net and autoencoder
SD_TEXT_WEIGHTS = 123_060_480  # of the text encoder, in fp32
SD_KEPT = 3.18e9
SD_KEPT_WITH_CHECKPOINTING = 0.77e9
_LEAST_V1 = 1e9  # bytes of the files of a model of that size, in any precision


def needs(settings: params.Params, stages: Collection[str]) -> dict[str, float]:
    """Bytes by stage, for those of `stages` that train the DDPM or personalize SD v1."""
    found = {}
    for stage in ("ddpm_train", "ddpm_ablate"):
        if stage in stages and (stage == "ddpm_train" or settings.ddpm.ablation.run):
            found[stage] = ddpm_training(settings.ddpm)
    if "personalization_train" in stages and _is_v1(settings.stable_diffusion):
        found["personalization_train"] = inversion(settings)
    return found


def ddpm_training(ddpm: params.Ddpm) -> float:
    """Bytes of a training of the conditional DDPM."""
    kept = ddpm_kept(ddpm.network) * ceil(ddpm.train.batch_size / ddpm.train.microbatches)
    return _CONTEXT + _COPIES * _FLOAT * ddpm_weights(ddpm.network) + kept


def ddpm_weights(network: params.Network) -> int:
    """About the number of weights of `hw2.models.unet.UNet`: those of its convolutions."""
    blocks = sum(
        (9 * (before + after) + 8 * network.base_channels + before * (before != after)) * after
        for before, after, _ in _blocks(network)
    )
    channels = [network.base_channels * m for m in network.channel_mult]
    return blocks + sum(9 * finer**2 + 4 * coarser * finer for finer, coarser in pairwise(channels))


def ddpm_kept(network: params.Network) -> int:
    """About the bytes that a forward pass of this network keeps for each image, in fp32."""
    values = sum((3 * before + 5 * after) * cells for before, after, cells in _blocks(network))
    return _FLOAT * values


def _blocks(network: params.Network) -> Iterator[tuple[int, int, int]]:
    """Channels before and after each residual block, and the number of its positions."""
    from hw2.digits.resize import SIZE  # here, because it imports NumPy

    levels = [
        (network.base_channels * multiple, (SIZE // network.patch_size // 2**level) ** 2)
        for level, multiple in enumerate(network.channel_mult)
    ]
    width = network.base_channels
    for channels, cells in levels:
        for _ in range(network.num_res_blocks):
            yield width, channels, cells
            width = channels
    yield width, width, levels[-1][1]
    for level in reversed(range(len(levels))):
        channels, cells = levels[level]
        for _ in range(network.num_res_blocks):
            yield width + channels, channels, cells
            width = channels
        width = levels[max(level - 1, 0)][0]


def inversion(settings: params.Params) -> float:
    """Bytes of textual inversion of Stable Diffusion v1, whose U-Net is frozen."""
    precision, train = settings.stable_diffusion.precision, settings.personalization.train
    bytes_each = _FLOAT if precision == "fp32" else 2
    kept = SD_KEPT_WITH_CHECKPOINTING if train.gradient_checkpointing else SD_KEPT
    images = ceil(train.batch_size / train.microbatches)
    return (
        _CONTEXT
        + bytes_each * SD_FROZEN_WEIGHTS
        + _FLOAT * SD_TEXT_WEIGHTS
        + images * kept * bytes_each / 2
    )


def _is_v1(stable_diffusion: params.StableDiffusion) -> bool:
    """Whether the model has about the size of v1; one on the hub is taken to have it."""
    path = Path(stable_diffusion.weights)
    if stable_diffusion.weights == "trained" or not path.exists():
        return hub.is_hub_id(stable_diffusion.weights)
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) > _LEAST_V1

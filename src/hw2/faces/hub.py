"""Unconditional face models of diffusers: a `UNet2DModel` and its scheduler's noise schedule."""

import logging
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hw2.diffusion.schedule import Prediction, Schedule
from hw2.faces.model import Blueprint, FaceModel, UnconditionalUNet
from hw2.io import hub, manifest
from hw2.runtime.errors import UserError

_PREDICTIONS: dict[str, Prediction] = {"epsilon": "eps", "v_prediction": "v", "sample": "x0"}
log = logging.getLogger(__name__)


def read(name: str, revision: str | None) -> tuple[Blueprint, dict[str, Tensor], Schedule]:
    """Read a diffusers pipeline or network from a folder or from the hub.

    Args:
        name: A folder, or a hub id such as google/ddpm-celebahq-256; with HF_HUB_OFFLINE=1 only
            cached models can be read.
        revision: Commit of a hub id; diffusers ignores it for a folder, so it is an error there.

    Raises:
        UserError: if there is no such model, if it is not a model of square color images, or if its
            folder has a manifest that does not match.
    """
    if Path(name).is_dir() and revision is not None:
        raise UserError(f"faces.revision: {name} is a folder, which has no commits; set it to null")
    manifest.check(Path(name))
    options: dict[str, Any] = {"revision": revision}
    if not Path(name).is_dir():
        options["local_files_only"] = hub.is_only_cached(
            "faces.weights", name, revision, hub.DIFFUSERS_WEIGHTS
        )
    network, scheduler = _network(name, options), _scheduler(name, options)
    config = {k: v for k, v in network.config.items() if not k.startswith("_")}
    if config["in_channels"] != 3 or config["out_channels"] != 3:
        channels = f"{config['in_channels']} to {config['out_channels']} channels"
        raise UserError(f"{name}: a network of {channels}, not 3 to 3; give a model of pixels")
    size = config["sample_size"]
    if not isinstance(size, int):
        raise UserError(f"{name}: sample_size is {size}, not one number; give a square model")
    kind = scheduler.config.prediction_type
    if kind not in _PREDICTIONS:
        raise UserError(f"{name}: predicts {kind}; give a model that predicts eps, v or x0")
    schedule = Schedule((1 - scheduler.betas.double()).cumprod(0))
    blueprint = Blueprint("diffusers", _PREDICTIONS[kind], size, config)
    return blueprint, {f"inner.{k}": v for k, v in network.state_dict().items()}, schedule


def pipeline(model: FaceModel) -> Any:
    """A trained model as a `DDIMPipeline` of diffusers, for `save_pretrained`.

    Raises:
        UserError: if it is the course's network, which is no `UNet2DModel`.
    """
    from diffusers.pipelines.ddim.pipeline_ddim import DDIMPipeline
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    if not isinstance(model.network, UnconditionalUNet):
        raise UserError("faces: the course's network is no UNet2DModel; train or name another one")
    abar = model.schedule.abar
    before = torch.cat([torch.ones(1, dtype=abar.dtype), abar[:-1]])
    predictions = {ours: theirs for theirs, ours in _PREDICTIONS.items()}
    scheduler = DDIMScheduler(
        num_train_timesteps=len(abar),
        trained_betas=(1 - abar / before).tolist(),
        prediction_type=predictions[model.prediction],
        clip_sample=False,
        steps_offset=1,
    )
    return DDIMPipeline(model.network.inner, scheduler)


def _network(name: str, options: dict[str, Any]) -> Any:
    from diffusers.models.unets.unet_2d import UNet2DModel

    return _first(UNet2DModel, name, options, ("unet", None), "UNet2DModel")


def _scheduler(name: str, options: dict[str, Any]) -> Any:
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    return _first(DDIMScheduler, name, options, ("scheduler", None), "scheduler")


def _first(
    kind: Any, name: str, options: dict[str, Any], folders: tuple[Any, ...], what: str
) -> Any:
    """`kind.from_pretrained` of the first subfolder that has one."""
    reasons = []
    for position in folders:
        try:
            return kind.from_pretrained(name, subfolder=position, **options)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            reasons.append(str(error).split("\n")[0])
    raise UserError(
        f"faces.weights: {name} has no {what} ({reasons[-1][:120]}); give the folder of a"
        " diffusers pipeline, or a hub id and a network to fetch it"
    )

"""A trained model as a folder of diffusers, with the code that its network and pipeline need.

`DiffusionPipeline.from_pretrained(FOLDER, trust_remote_code=True)` reads it in any process. The
code in the folder is that of `hw2.models`, `diffusers_unet` and `diffusers_pipeline`. The images
are those of hw2 up to rounding, except that a model of bf16 is evaluated in single precision.
"""

import inspect
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hw2.config import params
from hw2.ddpm import diffusers_pipeline, diffusers_unet
from hw2.ddpm.diffusers_unet import DigitsUNet
from hw2.diffusion import schedule
from hw2.diffusion.guidance import Guidance
from hw2.diffusion.schedule import LEAST_NOISE
from hw2.digits.labels import NUM_DIGITS, NUM_LABELS, label_of
from hw2.io import checkpoints, files
from hw2.models import context_unet, unet

# diffusers copies the code of all local folders into one package, so the names say whose it is.
UNET_MODULE = "hw2_digits_unet"
PIPELINE_MODULE = "hw2_digits_pipeline"
_PREDICTIONS = {"eps": "epsilon", "v": "v_prediction", "x0": "sample"}
_UNCLIPPED = -100.0  # below any log of signal to noise; the default, -inf, is not valid JSON
_OWN_IMPORT = re.compile(r"^from (hw2\.models\.\w+) import \w+$", re.MULTILINE)
_INLINED = {module.__name__: module for module in (unet, context_unet)}


@dataclass(frozen=True)
class Source:
    """The content of a checkpoint.

    Attributes:
        network: the network with its weights.
        diffusion: schedule, number of noise levels and prediction.
        domains: the domains that it was trained on.
        record: the record of the checkpoint as it is stored.
    """

    network: DigitsUNet
    diffusion: params.Diffusion
    domains: tuple[str, ...]
    record: dict[str, Any]


def read(checkpoint: Path) -> Source:
    """Read a checkpoint.

    Raises:
        UserError: if the file is missing, damaged, or not a checkpoint of `ddpm_train`.
    """
    return checkpoints.load(checkpoint, "ddpm", _build, stage="ddpm_train")


def write(source: Source, folder: Path, *, guidance: Guidance, steps: int) -> None:
    """Write the folder of a pipeline into the empty `folder`.

    Args:
        source: from `read`.
        folder: an existing folder.
        guidance: the default of the pipeline's calls.
        steps: the default number of steps.
    """
    scheduler = make_scheduler(source.diffusion)
    source.network.save_pretrained(folder / "unet")
    scheduler.save_pretrained(folder / "scheduler")
    code = {
        folder / f"unet/{UNET_MODULE}.py": _without_hw2(inspect.getsource(diffusers_unet)),
        folder / f"{PIPELINE_MODULE}.py": _without_hw2(inspect.getsource(diffusers_pipeline)),
    }
    for path, text in code.items():
        path.write_text(text, encoding="utf-8")
    index = {
        "_class_name": [PIPELINE_MODULE, diffusers_pipeline.DigitsPipeline.__name__],
        "_diffusers_version": version("diffusers"),
        "unet": [UNET_MODULE, DigitsUNet.__name__],
        "scheduler": ["diffusers", type(scheduler).__name__],
        "id2label": _names(source.domains),
        "guidance_scale": guidance.scale,
        "guidance_interval": list(guidance.interval),
        "color_guidance": guidance.color,
        "num_inference_steps": steps,
        "least_noise": LEAST_NOISE,
    }
    files.write_json(folder / "model_index.json", index)


def make_scheduler(diffusion: params.Diffusion) -> Any:
    """DPM-Solver++ 2M of diffusers with this noise schedule, visiting the times that hw2 visits.

    `from_config` of other schedulers takes the schedule over. Dynamic thresholding with a largest
    value of 1 is the clipping of estimates to [-1, 1], which this scheduler has no option for.
    """
    from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler

    return DPMSolverMultistepScheduler(
        num_train_timesteps=diffusion.timesteps,
        prediction_type=_PREDICTIONS[diffusion.prediction],
        timestep_spacing="trailing",
        thresholding=True,
        sample_max_value=1.0,
        lambda_min_clipped=_UNCLIPPED,
        **_betas(diffusion),
    )


def _betas(diffusion: params.Diffusion) -> dict[str, Any]:
    """Arguments of a scheduler for the noise schedule: a named schedule where it has one."""
    if diffusion.schedule == "cosine":
        return {"beta_schedule": "squaredcos_cap_v2"}
    abar = schedule.make(diffusion.schedule, diffusion.timesteps).abar
    betas = 1 - abar / torch.cat([abar.new_ones(1), abar[:-1]])
    first, last = betas[0].item(), betas[-1].item()
    even = torch.linspace(first, last, len(betas), dtype=betas.dtype)
    if torch.allclose(betas, even, rtol=1e-9, atol=0):
        return {"beta_schedule": "linear", "beta_start": first, "beta_end": last}
    return {"trained_betas": betas.tolist()}


def _build(record: dict[str, Any], weights: dict[str, Tensor]) -> Source:
    diffusion = params.Diffusion.model_validate(record["diffusion"])
    shape = params.Network.model_validate(record["network"]).model_dump(mode="json")
    network = DigitsUNet(**shape, num_labels=NUM_LABELS, timesteps=diffusion.timesteps)
    network.network.load_state_dict(weights)
    return Source(network, diffusion, tuple(record["domains"]), record)


def _names(domains: tuple[str, ...]) -> dict[str, str]:
    """Names of the class labels by label."""
    pairs = [(domain, digit) for domain in domains for digit in range(NUM_DIGITS)]
    return {str(label_of(domain, digit)): f"{domain}:{digit}" for domain, digit in pairs}


def _without_hw2(source: str) -> str:
    """The source of a module, with imports of `hw2.models` replaced by the source of the module."""
    return _OWN_IMPORT.sub(lambda match: inspect.getsource(_INLINED[match[1]]), source)

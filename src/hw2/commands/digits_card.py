"""The model card of exported digits, in the format of the Hugging Face hub."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hw2.commands import model_cards
from hw2.config.choices import DIGIT_DOMAINS, SAMPLERS
from hw2.config.params import Params
from hw2.ddpm.hub import PIPELINE_MODULE, UNET_MODULE, Source
from hw2.diffusion.guidance import Guidance


@dataclass(frozen=True)
class Run:
    """The run that trained and measured a model.

    Attributes:
        params: its parameters.
        ddpm: its record `ddpm`, of generated images.
        judge: its record `judge`, of real ones.
    """

    params: Params
    ddpm: Mapping[str, Any]
    judge: Mapping[str, Any]


def card(source: Source, *, guidance: Guidance, steps: int, run: Run | None, commit: str) -> str:
    """The text of README.md.

    Args:
        source: the exported checkpoint.
        guidance: the default of the pipeline's calls.
        steps: the default number of steps.
        run: None for a checkpoint whose run is not known; the card then has no metrics.
        commit: Git commit of the code.
    """
    synthetic = run is not None and run.params.data.source == "synthetic"
    tags = ["ddpm", "digits", *(["synthetic"] if synthetic else [])]
    front = ["---", "license: mit", "library_name: diffusers", "tags:", *(f"- {t}" for t in tags)]
    parts = [
        "\n".join([*front, "---\n"]),
        f"# A conditional DDPM of {_named(source.domains)} digits\n",
        _description(source),
        _usage(source.domains[0]),
        _defaults(guidance, steps),
        "## Metrics\n",
        _metrics(source.domains, guidance, run),
        "## How it was made\n",
        _recipe(source, run, commit),
        "## License\n",
        "The code and the weights: MIT. Training images have the terms of their data sets.\n",
    ]
    return "\n".join(parts)


def _named(domains: tuple[str, ...]) -> str:
    return " and ".join(DIGIT_DOMAINS[domain] for domain in domains)


def _description(source: Source) -> str:
    diffusion = source.diffusion
    return (
        "A U-Net for color images of 28 pixels under a class label, a domain and a digit. "
        f"It predicts {diffusion.prediction} at {diffusion.timesteps} noise levels of a "
        f"{diffusion.schedule} schedule (Ho et al., 2020; Ho & Salimans, 2022). "
        "Weights are in single precision.\n"
    )


def _usage(domain: str) -> str:
    return f"""## Use

```python
import torch
from diffusers import DiffusionPipeline

pipe = DiffusionPipeline.from_pretrained("FOLDER", trust_remote_code=True)
images = pipe(["{domain}:3", "{domain}:7"], generator=torch.Generator().manual_seed(0)).images
```

FOLDER is the path of this folder. Without `trust_remote_code=True` diffusers refuses the folder,
because `{PIPELINE_MODULE}.py` and `unet/{UNET_MODULE}.py` are code that it runs. They need
diffusers and PyTorch only. `pipe.labels` lists the class labels; integers are accepted as well.
`SHA256SUMS` has the checksums of all files but this one.
"""


def _defaults(guidance: Guidance, steps: int) -> str:
    low, high = guidance.interval
    return (
        f"Defaults of a call: `guidance_scale={guidance.scale:g}`, "
        f"`guidance_interval=({low:g}, {high:g})`, `color_guidance={guidance.color:g}` and "
        f"`num_inference_steps={steps}` with "
        "DPM-Solver++ 2M. The output is unconditional + s (conditional - unconditional) with s the "
        "guidance scale: 1 is no guidance, and the weight w of Ho & Salimans is s - 1. Guidance "
        "applies at the noise levels in the interval, given as fractions of their number. With "
        "`color_guidance=0` it moves the gray value alone, so that colors do not become vivid.\n"
    )


def _metrics(domains: tuple[str, ...], guidance: Guidance, run: Run | None) -> str:
    if run is None:
        return "None: the run of this checkpoint is not the one whose results are at hand.\n"
    sampling = run.params.ddpm.sampling
    low, high = guidance.interval
    rows = [
        model_cards.row(f"generated {DIGIT_DOMAINS[name]} digits", run.ddpm[name], "accuracy")
        for name in domains
    ] + [
        model_cards.row(f"real {DIGIT_DOMAINS[name]} digits", run.judge[name], "accuracy")
        for name in domains
    ]
    text = (
        "Share of images that a digit classifier, trained on real images, reads as their label. "
        f"Generated images: {SAMPLERS[sampling.sampler]}, {sampling.steps} steps, guidance scale "
        f"{guidance.scale:g}, interval {low:g} to {high:g}. Real images: the test split.\n"
    )
    return f"{text}\n{model_cards.table(rows)}"


def _recipe(source: Source, run: Run | None, commit: str) -> str:
    if run is None:
        recipe: dict[str, Any] = dict(source.record)
        made = f"Exported at commit `{commit}` from a checkpoint with this record."
    else:
        parts = {"seed", "domains", "network", "diffusion", "train"}
        recipe = {
            "data": run.params.data.model_dump(mode="json"),
            "ddpm": run.params.ddpm.model_dump(mode="json", include=parts),
        }
        made = (
            f"By the stages of profile `{run.params.profile}` with these parameters, exported at "
            f"commit `{commit}`. `dvc repro ddpm_train` makes it anew."
        )
    return f"{made}\n\n```json\n{json.dumps(recipe, indent=2)}\n```\n"

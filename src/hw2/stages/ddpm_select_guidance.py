"""Choose the guidance scale on the val split's random streams, which are never reported.

Guidance trades variety for accuracy, so the most accurate scale wins among those whose images are
varied enough: their diversity and their recall are at least `min_quality_share` of what real images
reach.
"""

from pathlib import Path

import numpy as np
import torch

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import Request, draw, every_label
from hw2.digits.arrays import Digits
from hw2.digits.labels import DOMAINS
from hw2.evaluation import judge as judges
from hw2.evaluation import sample_quality
from hw2.evaluation.intervals import Estimate, proportion
from hw2.io import files
from hw2.runtime.progress import progress

_SPLIT = "val"
Row = dict[str, float | int]


def run(
    ddpm: params.Ddpm,
    *,
    ddpm_model: Path,
    judge_model: Path,
    digits_arrays: Path,
    ddpm_guidance: Path,
    device: torch.device,
) -> None:
    """Write the scale to use, and what every candidate reached, to `ddpm_guidance`."""
    guidance = ddpm.guidance
    tried: list[Row] = []
    if guidance.scale == "auto":
        trained = denoiser.load(ddpm_model, device)
        tried = _try(ddpm, trained, judges.load(judge_model, device), digits_arrays)
        guidance_scale = _best(tried, guidance.min_quality_share)["guidance_scale"]
    else:
        guidance_scale = guidance.scale
    record = {
        "guidance_scale": guidance_scale,
        "candidates": tried,
        "split": _SPLIT,
    }
    files.write_json(ddpm_guidance, record)


def _best(tried: list[Row], min_quality_share: float) -> Row:
    varied = [row for row in tried if min(row["diversity"], row["recall"]) >= min_quality_share]
    if not varied:
        return max(tried, key=lambda row: min(row["diversity"], row["recall"]))
    return max(varied, key=lambda row: row["accuracy"])  # of equals the first, the smallest scale


def _try(
    ddpm: params.Ddpm,
    model: Denoiser,
    judge: judges.Judge,
    packed: Path,
) -> list[Row]:
    request = every_label(model.domains, ddpm.guidance.images_per_label)
    candidates = sorted(ddpm.guidance.candidates)
    rows = []
    with progress(len(candidates) * len(request.labels), "guidance", unit="image") as bar:
        for candidate in candidates:
            images = draw(
                model,
                request,
                ddpm.sampling,
                guidance_scale=candidate,
                split=_SPLIT,
                tick=bar.update,
            )
            found = proportion(judge.right(images, request.digits, request.domains, DOMAINS))
            varied = _variety(images, request, model, judge, packed)
            rows.append({"guidance_scale": candidate, **_record(found), **varied})
    return rows


def _variety(
    images: np.ndarray, request: Request, model: Denoiser, judge: judges.Judge, packed: Path
) -> Row:
    """Diversity and recall as shares of the real images' own, each of the domain with the least."""
    measured = []
    for domain in model.domains:
        here = request.domains == DOMAINS.index(domain)
        drawn = Digits(images[here], request.digits[here])
        measured.append(
            sample_quality.measure(judge, drawn, domain, packed, split=_SPLIT, other="train")
        )
    names = ("diversity", "recall")
    return {name: min(sample_quality.share(found, name) for found in measured) for name in names}


def _record(found: Estimate) -> Row:
    return {"accuracy": found.value, "low": found.low, "high": found.high, "n": found.n}

"""Choose the guidance scale with random streams of the val split, which no reported image uses.

Guidance trades diversity for accuracy. The most accurate scale wins among those whose images are
diverse enough: their diversity and their recall are at least `min_quality_share` of the values of
real images.
"""

from pathlib import Path

import numpy as np
import torch

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import SampleRequest, request_all_labels, sample_images
from hw2.digits.arrays import Digits
from hw2.digits.labels import LABELED_DOMAINS
from hw2.evaluation import sample_quality
from hw2.evaluation.intervals import Estimate, proportion
from hw2.evaluation.judge import Judge, load_judge
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
    """Write the chosen scale and the results of all candidates to `ddpm_guidance`."""
    guidance = ddpm.guidance
    tried: list[Row] = []
    if guidance.scale == "auto":
        trained = denoiser.load(ddpm_model, device)
        tried = _try(ddpm, trained, load_judge(judge_model, device), digits_arrays)
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
    return max(varied, key=lambda row: row["accuracy"])  # a tie goes to the smallest scale


def _try(
    ddpm: params.Ddpm,
    model: Denoiser,
    judge: Judge,
    packed: Path,
) -> list[Row]:
    request = request_all_labels(model.domains, ddpm.guidance.images_per_label)
    candidates = sorted(ddpm.guidance.candidates)
    rows = []
    with progress(len(candidates) * len(request.labels), "guidance", unit="image") as bar:
        for candidate in candidates:
            images = sample_images(
                model,
                request,
                ddpm.sampling,
                guidance_scale=candidate,
                split=_SPLIT,
                tick=bar.update,
            )
            accuracy = proportion(
                judge.right(images, request.digits, request.domains, LABELED_DOMAINS)
            )
            quality = _quality_shares(images, request, model, judge, packed)
            rows.append({"guidance_scale": candidate, **_record(accuracy), **quality})
    return rows


def _quality_shares(
    images: np.ndarray, request: SampleRequest, model: Denoiser, judge: Judge, packed: Path
) -> Row:
    """Diversity and recall as shares of the values of real images, the minimum over domains."""
    measured = []
    for domain in model.domains:
        mask = request.domains == LABELED_DOMAINS.index(domain)
        generated = Digits(images[mask], request.digits[mask])
        measured.append(
            sample_quality.measure(judge, generated, domain, packed, split=_SPLIT, other="train")
        )
    names = ("diversity", "recall")
    return {
        name: min(sample_quality.share(quality, name) for quality in measured) for name in names
    }


def _record(accuracy: Estimate) -> Row:
    ends = {"low": accuracy.low, "high": accuracy.high}
    return {"accuracy": accuracy.value, **ends, "n": accuracy.n}

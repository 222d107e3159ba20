"""Choose the guidance with random streams of the val split, which no reported image uses.

Guidance trades variety for accuracy. Among the candidates whose 95 % interval of the accuracy
overlaps that of the most accurate one, the one with the least Fréchet distance to real images wins.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import SampleRequest, request_all_labels, sample_images
from hw2.diffusion.guidance import NO_GUIDANCE, Guidance
from hw2.digits.arrays import Digits
from hw2.digits.labels import LABELED_DOMAINS
from hw2.evaluation import sample_quality
from hw2.evaluation.intervals import proportion
from hw2.evaluation.judge import Judge, load_judge
from hw2.io import files
from hw2.runtime.progress import progress

_SPLIT = "val"
Row = dict[str, float | int]
log = logging.getLogger(__name__)


def run(
    ddpm: params.Ddpm,
    *,
    ddpm_model: Path,
    judge_model: Path,
    digits_arrays: Path,
    ddpm_guidance: Path,
    device: torch.device,
) -> None:
    """Write the chosen guidance and the results of all candidates to `ddpm_guidance`."""
    settings = ddpm.guidance
    tried: list[Row] = []
    if settings.scale == "auto":
        trained = denoiser.load(ddpm_model, device)
        tried = _try(ddpm, trained, load_judge(judge_model, device), digits_arrays)
        chosen = _best(tried)
        _warn_at_the_edge(chosen, settings.candidates)
    else:
        chosen = _as_row(Guidance(settings.scale, settings.intervals[0], settings.color))
    record = {
        "guidance_scale": chosen["guidance_scale"],
        "interval": [chosen["interval_low"], chosen["interval_high"]],
        "color": settings.color,
        "candidates": tried,
        "split": _SPLIT,
    }
    files.write_json(ddpm_guidance, record)


def _best(tried: list[Row]) -> Row:
    most_accurate = max(tried, key=lambda row: row["accuracy"])
    accurate = [row for row in tried if row["accuracy_high"] >= most_accurate["accuracy_low"]]
    return min(accurate, key=lambda row: row["frechet"])  # a tie goes to the smallest scale


def _warn_at_the_edge(chosen: Row, scales: tuple[float, ...]) -> None:
    scale = chosen["guidance_scale"]
    if len(scales) > 1 and scale in (min(scales), max(scales)) and scale != NO_GUIDANCE:
        log.warning(
            "guidance scale %g is at the end of ddpm.guidance.candidates; extend the list", scale
        )


def _candidates(settings: params.Guidance) -> Iterator[Guidance]:
    """Every scale with every interval; without guidance, intervals are all the same."""
    for scale in sorted(settings.candidates):
        intervals = settings.intervals[:1] if scale == NO_GUIDANCE else settings.intervals
        for interval in intervals:
            yield Guidance(scale, interval, settings.color)


def _as_row(guidance: Guidance) -> Row:
    low, high = guidance.interval
    return {"guidance_scale": guidance.scale, "interval_low": low, "interval_high": high}


def _try(
    ddpm: params.Ddpm,
    model: Denoiser,
    judge: Judge,
    packed: Path,
) -> list[Row]:
    request = request_all_labels(model.domains, ddpm.guidance.images_per_label)
    candidates = list(_candidates(ddpm.guidance))
    rows = []
    with progress(len(candidates) * len(request.labels), "guidance", unit="image") as bar:
        for candidate in candidates:
            images = sample_images(
                model,
                request,
                ddpm.sampling,
                guidance=candidate,
                split=_SPLIT,
                tick=bar.update,
            )
            accuracy = proportion(
                judge.right(images, request.digits, request.domains, LABELED_DOMAINS)
            )
            quality = _relative_quality(images, request, model, judge, packed)
            rows.append({**_as_row(candidate), **accuracy.named("accuracy"), **quality})
    return rows


def _relative_quality(
    images: np.ndarray, request: SampleRequest, model: Denoiser, judge: Judge, packed: Path
) -> Row:
    """Measures of quality divided by those of real images, averaged over the domains."""
    measured = []
    for domain in model.domains:
        mask = request.domains == LABELED_DOMAINS.index(domain)
        generated = Digits(images[mask], request.digits[mask])
        measured.append(
            sample_quality.measure(judge, generated, domain, packed, split=_SPLIT, other="train")
        )
    return {
        name: float(np.mean([sample_quality.share(quality, name) for quality in measured]))
        for name in ("frechet", "recall")
    }

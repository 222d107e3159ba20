"""Choose the guidance weight on the select part's random streams, which are never reported.

Guidance trades variety for accuracy, so the most accurate weight wins among those whose images are
varied enough: at least `least_diversity` of what the real images of the select part are.
"""

from pathlib import Path

import torch

from hw2 import files, params
from hw2.diffusion.guidance import paper_weight
from hw2.evaluation import judge as judges
from hw2.evaluation.diversity import of_real, within_label_distance
from hw2.evaluation.intervals import Estimate, proportion
from hw2.generation import denoiser
from hw2.generation.denoiser import Denoiser
from hw2.generation.draw import draw, every_label
from hw2.labels import DOMAINS
from hw2.progress import progress

_PART = "select"


def run(
    choice: params.Guidance,
    sampling: params.Sampling,
    *,
    model: Path,
    judge: Path,
    packed: Path,
    guidance: Path,
    device: torch.device,
) -> None:
    """Write the weight to use, and what every candidate reached, to `guidance`."""
    tried: list[dict[str, float | int]] = []
    if choice.weight == "select":
        trained = denoiser.load(model, device)
        real = of_real(packed, trained.domains, _PART)["all"]
        tried = _try(choice, sampling, trained, judges.load(judge, device), real)
        weight = _best(tried, choice.least_diversity)["weight"]
    else:
        weight = choice.weight
    record = {"weight": weight, "convention": choice.convention, "candidates": tried, "part": _PART}
    files.write_json(guidance, record)


def _best(tried: list[dict[str, float | int]], least_diversity: float) -> dict[str, float | int]:
    varied = [row for row in tried if row["diversity"] >= least_diversity]
    if not varied:
        return max(tried, key=lambda row: row["diversity"])
    return max(varied, key=lambda row: row["accuracy"])  # of equals the first, the smallest weight


def _try(
    choice: params.Guidance,
    sampling: params.Sampling,
    model: Denoiser,
    judge: judges.Judge,
    real_diversity: float,
) -> list[dict[str, float | int]]:
    request = every_label(model.domains, choice.images_per_label)
    candidates = sorted(choice.candidates)
    rows = []
    with progress(len(candidates) * len(request.labels), "guidance", unit="image") as bar:
        for candidate in candidates:
            weight = paper_weight(candidate, choice.convention)
            images = draw(model, request, sampling, weight=weight, part=_PART, tick=bar.update)
            found = proportion(judge.right(images, request.digits, request.domains, DOMAINS))
            spread = within_label_distance(images, request.labels).value / real_diversity
            rows.append({"weight": candidate, **_record(found), "diversity": spread})
    return rows


def _record(found: Estimate) -> dict[str, float | int]:
    return {"accuracy": found.value, "low": found.low, "high": found.high, "n": found.n}

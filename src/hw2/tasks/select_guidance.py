"""Choose the guidance weight on the select part's random streams, which are never reported."""

from pathlib import Path

import torch

from hw2 import files, params
from hw2.diffusion.guidance import paper_weight
from hw2.evaluation import judge as judges
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
    guidance: Path,
    device: torch.device,
) -> None:
    """Write the weight to use, and what every candidate reached, to `guidance`."""
    tried: list[dict[str, float | int]] = []
    if choice.weight == "select":
        tried = _try(choice, sampling, denoiser.load(model, device), judges.load(judge, device))
        best = max(
            tried, key=lambda row: row["accuracy"]
        )  # of equals the first, hence the smallest
        weight = best["weight"]
    else:
        weight = choice.weight
    record = {"weight": weight, "convention": choice.convention, "candidates": tried, "part": _PART}
    files.write_json(guidance, record)


def _try(
    choice: params.Guidance, sampling: params.Sampling, model: Denoiser, judge: judges.Judge
) -> list[dict[str, float | int]]:
    request = every_label(model.domains, choice.images_per_label)
    candidates = sorted(choice.candidates)
    rows = []
    with progress(len(candidates) * len(request.labels), "guidance", unit="image") as bar:
        for candidate in candidates:
            weight = paper_weight(candidate, choice.convention)
            images = draw(model, request, sampling, weight=weight, part=_PART, tick=bar.update)
            found = proportion(judge.right(images, request.digits, request.domains, DOMAINS))
            rows.append({"weight": candidate, **_record(found)})
    return rows


def _record(found: Estimate) -> dict[str, float | int]:
    return {"accuracy": found.value, "low": found.low, "high": found.high, "n": found.n}

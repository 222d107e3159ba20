"""`hw2 digits`: sample digits in the grader's format, <domain>/<digit>_<number>.png."""

from pathlib import Path

import torch
from PIL import Image

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.sample import request_all_labels, sample_images
from hw2.digits import grid
from hw2.digits.labels import LABELED_DOMAINS
from hw2.io.atomic import atomic_dir
from hw2.runtime.errors import UserError
from hw2.runtime.progress import progress
from hw2.stages.ddpm_sample import SPLIT, chosen_guidance


def run(
    sampling: params.Sampling,
    *,
    model: Path,
    guidance: Path,
    out: Path,
    count: int,
    device: torch.device,
) -> int:
    """Write `count` images of each digit to a folder for each domain; return their total number.

    The images equal those of the report: image k of a label starts from the same noise.

    Raises:
        UserError: if `count` is not positive, or the model is not valid.
    """
    if count < 1:
        raise UserError(f"--count {count}: sample at least one image of each digit")
    trained = denoiser.load(model, device)
    request = request_all_labels(trained.domains, count, shared=grid.COLUMNS)
    with progress(len(request.labels), "digits", unit="image") as bar:
        images = sample_images(
            trained,
            request,
            sampling,
            guidance=chosen_guidance(guidance),
            split=SPLIT,
            tick=bar.update,
        )
    with atomic_dir(out) as folder:
        for image, digit, domain, k in zip(
            images, request.digits, request.domains, request.index, strict=True
        ):
            path = folder / LABELED_DOMAINS[domain] / f"{digit}_{k + 1:03d}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(image).save(path)
    return len(images)

"""Train and judge a model without condition dropout, to measure the effect of guidance."""

from pathlib import Path
from typing import Any

import torch

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import request_all_labels, sample_images
from hw2.ddpm.train import identity, train_ddpm
from hw2.diffusion.guidance import NO_GUIDANCE, Guidance
from hw2.digits.labels import LABELED_DOMAINS
from hw2.evaluation.intervals import proportion
from hw2.evaluation.judge import Judge, load_judge
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.runtime.progress import progress
from hw2.stages.ddpm_sample import SPLIT
from hw2.training import processes
from hw2.training.session import Session


def run(
    ddpm: params.Ddpm,
    *,
    digits_arrays: Path,
    judge_model: Path,
    ddpm_ablation: Path,
    ddpm_ablation_details: Path,
    checkpoints: Path,
    device: torch.device,
) -> None:
    """Write the model into `ddpm_ablation` and its accuracy to `ddpm_ablation_details`.

    A model that was never trained with the null label cannot be guided, so it samples without
    guidance. If `ddpm.ablation.run` is false, the folder stays empty and the metrics are
    `ran: false`.
    """
    if not ddpm.ablation.run:
        processes.end_all_but_first()
        with atomic_dir(ddpm_ablation):
            files.write_metrics(ddpm_ablation_details, {"ran": False})
        return
    always = ddpm.model_copy(update={"train": ddpm.train.model_copy(update={"p_uncond": 0.0})})
    with Session(checkpoints) as session:
        resume = session.resume(identity(always, digits_arrays))
        weights, history = train_ddpm(always, digits_arrays, resume, device)
        processes.end_all_but_first()
        with atomic_dir(ddpm_ablation) as folder:
            denoiser.save(folder / "model.safetensors", weights, always)
            files.write_table(folder / "history.csv", history)
        trained = denoiser.load(ddpm_ablation / "model.safetensors", device)
        files.write_metrics(
            ddpm_ablation_details,
            _measured(trained, load_judge(judge_model, device), ddpm),
        )


def _measured(model: Denoiser, judge: Judge, ddpm: params.Ddpm) -> dict[str, Any]:
    request = request_all_labels(model.domains, ddpm.ablation.images_per_label)
    with progress(len(request.labels), "ablation", unit="image") as bar:
        images = sample_images(
            model,
            request,
            ddpm.sampling,
            guidance=Guidance(NO_GUIDANCE),
            split=SPLIT,
            tick=bar.update,
        )
    right = judge.right(images, request.digits, request.domains, LABELED_DOMAINS)
    measured: dict[str, Any] = {"ran": True, **proportion(right).named("accuracy")}
    for domain in model.domains:
        measured[domain] = proportion(
            right[request.domains == LABELED_DOMAINS.index(domain)]
        ).named("accuracy")
    return measured

"""Measure accuracy and diversity for several guidance scales, samplers and numbers of steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import SampleRequest, request_all_labels, sample_images
from hw2.diffusion.guidance import Guidance
from hw2.diffusion.network_calls import NetworkCalls
from hw2.digits.labels import LABELED_DOMAINS
from hw2.evaluation.diversity import real_diversity, within_label_distance
from hw2.evaluation.intervals import proportion
from hw2.evaluation.judge import Judge, load_judge
from hw2.io import files
from hw2.runtime.progress import progress
from hw2.stages.ddpm_sample import SPLIT, chosen_guidance


@dataclass(frozen=True)
class Setting:
    """A guidance scale and sampler settings to measure: one point of a figure.

    Attributes:
        kind: Figure that the point belongs to, `guidance` or `sampler`.
        guidance: The guidance scale, and the noise levels that it applies to.
        sampling: Section `ddpm.sampling`, with the sampler and steps of this setting.
    """

    kind: str
    guidance: Guidance
    sampling: params.Sampling


def run(
    ddpm: params.Ddpm,
    *,
    ddpm_model: Path,
    judge_model: Path,
    digits_arrays: Path,
    ddpm_guidance: Path,
    ddpm_sweep: Path,
    device: torch.device,
) -> None:
    """Write a row for each setting and domain to `ddpm_sweep`."""
    trained, judge = denoiser.load(ddpm_model, device), load_judge(judge_model, device)
    request = request_all_labels(trained.domains, ddpm.sweep.images_per_label)
    diversity_of_real = real_diversity(digits_arrays, trained.domains, SPLIT)
    settings = list(_settings(ddpm, chosen_guidance(ddpm_guidance)))
    rows = []
    with progress(len(settings) * len(request.labels), "sweep", unit="image") as bar:
        for setting in settings:
            calls = NetworkCalls()
            images = sample_images(
                trained,
                request,
                setting.sampling,
                guidance=setting.guidance,
                split=SPLIT,
                calls=calls,
                tick=bar.update,
            )
            per_image = calls.per_image(len(images))
            for name, row in _measured(images, request, judge, trained).items():
                rows.append(
                    {
                        **_described(setting, name, per_image),
                        **row,
                        "real_diversity": diversity_of_real[name],
                    }
                )
    files.write_table(ddpm_sweep, rows)


def _settings(ddpm: params.Ddpm, chosen: Guidance) -> Iterator[Setting]:
    sweep, sampling = ddpm.sweep, ddpm.sampling
    for scale in sorted(sweep.scales):
        yield Setting("guidance", Guidance(scale, chosen.interval), sampling)
    for sampler in sweep.samplers:
        for steps in sorted(sweep.steps):
            yield Setting(
                "sampler", chosen, sampling.model_copy(update={"sampler": sampler, "steps": steps})
            )


def _described(setting: Setting, domain: str, network_calls: int) -> dict[str, str | float]:
    return {
        "kind": setting.kind,
        "domain": domain,
        "sampler": setting.sampling.sampler,
        "steps": setting.sampling.steps,
        "network_calls": network_calls,
        "guidance_scale": setting.guidance.scale,
    }


def _measured(
    images: np.ndarray, request: SampleRequest, judge: Judge, model: Denoiser
) -> dict[str, dict[str, float]]:
    """Accuracy and diversity by domain, and of `all` domains together."""
    right = judge.right(images, request.digits, request.domains, LABELED_DOMAINS)
    table = {}
    for name, mask in _groups(request.domains, model.domains).items():
        accuracy = proportion(right[mask])
        diversity = within_label_distance(images[mask], request.labels[mask])
        table[name] = {
            "n": accuracy.n,
            "accuracy": accuracy.value,
            "low": accuracy.low,
            "high": accuracy.high,
            "diversity": diversity.value,
            "diversity_low": diversity.low,
            "diversity_high": diversity.high,
        }
    return table


def _groups(domains: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    return {
        "all": np.ones(len(domains), bool),
        **{name: domains == LABELED_DOMAINS.index(name) for name in names},
    }

"""Measure accuracy and sample quality by guidance scale, sampler and number of steps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.sample import SampleRequest, request_all_labels, sample_images
from hw2.diffusion.guidance import Guidance
from hw2.diffusion.network_calls import NetworkCalls
from hw2.digits import arrays
from hw2.digits.labels import LABELED_DOMAINS
from hw2.evaluation import sample_quality
from hw2.evaluation.intervals import Estimate, proportion
from hw2.evaluation.judge import Judge, load_judge
from hw2.evaluation.kernel_distance import kernel_distance
from hw2.evaluation.means import mean_of_estimates
from hw2.evaluation.precision_recall import recall
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


@dataclass(frozen=True)
class RealFeatures:
    """Features of the judge, float (N, F), of real images of a domain.

    Attributes:
        every: Of equally many images of each digit, as many as there are: for the kernel distance,
            which does not depend on their number.
        as_many: Of as many as are generated in a setting: for recall, which does.
        recall: That of other real images in place of the generated ones.
    """

    every: np.ndarray
    as_many: np.ndarray
    recall: float


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
    real = {
        domain: _real_features(judge, domain, digits_arrays, ddpm.sweep.images_per_label)
        for domain in trained.domains
    }
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
            for name, row in _measured(images, request, judge, real).items():
                rows.append({**_described(setting, name, per_image), **row})
    files.write_table(ddpm_sweep, rows)


def _settings(ddpm: params.Ddpm, chosen: Guidance) -> Iterator[Setting]:
    sweep, sampling = ddpm.sweep, ddpm.sampling
    for scale in sorted(sweep.scales):
        yield Setting("guidance", replace(chosen, scale=scale), sampling)
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


def _real_features(judge: Judge, domain: str, packed: Path, count: int) -> RealFeatures:
    real, other = (arrays.load(packed, domain, split) for split in (SPLIT, "val"))
    available = int(np.bincount(real.digits).min())
    every, as_many, stand_in = (
        judge.embed(sample_quality.first(digits, number), domain)
        for digits, number in ((real, available), (real, count), (other, count))
    )
    return RealFeatures(every, as_many, recall(as_many, stand_in).value)


def _measured(
    images: np.ndarray, request: SampleRequest, judge: Judge, real: dict[str, RealFeatures]
) -> dict[str, dict[str, float]]:
    """Accuracy and sample quality by domain, and of `all` domains together."""
    right = judge.right(images, request.digits, request.domains, LABELED_DOMAINS)
    accuracies, distances, recalls = {}, {}, {}
    for domain, features in real.items():
        mask = request.domains == LABELED_DOMAINS.index(domain)
        generated = judge.embed(images[mask], domain)
        accuracies[domain] = proportion(right[mask])
        distances[domain] = kernel_distance(generated, features.every)
        recalls[domain] = recall(features.as_many, generated)
    accuracies["all"] = proportion(right)
    distances["all"] = mean_of_estimates(list(distances.values()))
    recalls["all"] = mean_of_estimates(list(recalls.values()))
    recall_real = {domain: features.recall for domain, features in real.items()}
    recall_real["all"] = float(np.mean(list(recall_real.values())))
    return {
        name: {
            "n": accuracies[name].n,
            **_named("accuracy", accuracies[name]),
            **_named("kernel_distance", distances[name]),
            **_named("recall", recalls[name]),
            "recall_real": recall_real[name],
        }
        for name in ("all", *real)
    }


def _named(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}

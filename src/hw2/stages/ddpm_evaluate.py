"""Measure accuracy and sample quality of the generated digits."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from hw2.config import params
from hw2.diffusion.guidance import NO_GUIDANCE
from hw2.digits import arrays
from hw2.digits.arrays import Digits
from hw2.digits.labels import LABELED_DOMAINS, NUM_DIGITS
from hw2.evaluation import outcomes, sample_quality, tones
from hw2.evaluation.intervals import proportion
from hw2.evaluation.judge import load_judge
from hw2.io import files
from hw2.runtime.errors import UserError


def run(
    ddpm: params.Ddpm,
    *,
    ddpm_samples: Path,
    judge_model: Path,
    judge_details: Path,
    ddpm_sweep: Path,
    digits_arrays: Path,
    ddpm_details: Path,
    device: torch.device,
) -> None:
    """Write the accuracies and the sample quality of the generated digits to `ddpm_details`.

    Accuracies are given overall, by domain, by digit and without guidance, next to the judge's
    accuracy on real images. Each domain also has its number of training images, the outcome of each
    generated image, and the sample quality of all of them.

    Raises:
        UserError: if the sweep has no row without guidance.
    """
    samples = files.load_arrays(ddpm_samples)
    judge = load_judge(judge_model, device)
    right = judge.right(samples["images"], samples["digits"], samples["domains"], LABELED_DOMAINS)
    present = [LABELED_DOMAINS[index] for index in np.unique(samples["domains"])]
    record: dict[str, Any] = proportion(right).named("accuracy")
    for domain in present:
        mask = samples["domains"] == LABELED_DOMAINS.index(domain)
        generated = Digits(samples["images"][mask], samples["digits"][mask])
        record[domain] = proportion(right[mask]).named("accuracy")
        # Image k of a label starts from the same noise in all runs with this seed.
        wanted = (samples["digits"][mask], samples["index"][mask], ddpm.sampling.seed)
        record[domain] |= outcomes.encoded(right[mask], domain, *wanted)
        record[domain]["train_images"] = len(arrays.load(digits_arrays, domain, "train").digits)
        record[domain] |= sample_quality.measure(
            judge, generated, domain, digits_arrays, split="test", other="val"
        )
        real = arrays.load(digits_arrays, domain, "test")
        record[domain]["tones"] = {
            "generated": tones.measure(generated.rgb),
            "real": tones.measure(real.rgb),
        }
    record["digits"] = {
        str(digit): proportion(right[samples["digits"] == digit]).named("accuracy")
        for digit in range(NUM_DIGITS)
    }
    record["unguided"] = _unguided(ddpm_sweep)
    on_real = files.read_json(judge_details)
    record["judge"] = {domain: on_real[domain]["accuracy"] for domain in present}
    files.write_metrics(ddpm_details, record)


def _unguided(sweep: Path) -> dict[str, Any]:
    """Accuracy without guidance: the setting of `ddpm_sweep` with guidance scale 1."""
    for row in files.read_table(sweep):
        unguided = row["guidance_scale"] == NO_GUIDANCE
        if row["kind"] == "guidance" and row["domain"] == "all" and unguided:
            return {key: row[key] for key in ("accuracy", "accuracy_low", "accuracy_high", "n")}
    raise UserError(f"{sweep}: no row without guidance; put 1 into ddpm.sweep.scales")

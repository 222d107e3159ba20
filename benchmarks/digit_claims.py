"""Measure what student reports say about the training of the digit model.

    python benchmarks/digit_claims.py [--steps 3000]

* "Without condition dropout the digits are worse": our recipe in a short form, an eighth of the
  demo's steps, with and without it.
* "Along training one domain drops while the other is high", and "samples fail where `eval()` is
  forgotten, because of BatchNorm": the network of most reports (`ContextUnet`) in their training
  loop (Adam, fp32, no averaged weights), ten times along it, with the running statistics of
  BatchNorm and with those of the sampled batch.

Every model draws the same images: the sampler of params.yaml, random streams of the val split, read
by the judge. The network has 32 channels and a rate of 0.001, where reports have 128 or 256 and
0.0001, for minutes of a core instead of hours of a GPU. It needs `data/arrays` and `results/judge`
of a run. Writes digit_claims.json and digit_claims.md into --out.
"""

import argparse
import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from denoiser_recipes import CPU, JUDGE, files_of_digits, quality, recipe, train
from report import machine
from rows import denoisers
from rows.per_item import SEED

from hw2 import rng
from hw2.config import params
from hw2.ddpm.denoiser import Denoiser
from hw2.diffusion.schedule import Schedule
from hw2.digits.labels import NUM_LABELS
from hw2.evaluation.intervals import Estimate
from hw2.evaluation.judge import Judge, load_judge
from hw2.models.context_unet import ContextUnet

CHANNELS, LR = 32, 1e-3
SHORT_STEPS = 400
POINTS = 10
UNGUIDED, GUIDED = 1.0, 3.0
EVAL, BATCH = "eval()", "no eval()"


@dataclass(frozen=True)
class Row:
    """A model, how its digits were drawn, and their accuracy by domain."""

    training: str
    steps: int
    drawn: str
    accuracy: Mapping[str, Estimate]


def condition_dropout(ddpm: params.Ddpm, judge: Judge) -> Iterator[Row]:
    """Our recipe in a short form, with and without condition dropout."""
    for share, scales in ((ddpm.train.p_uncond, (UNGUIDED, GUIDED)), (0.0, (UNGUIDED,))):
        short = recipe(ddpm, {"train": {"p_uncond": share}}, SHORT_STEPS)
        model, _ = train(short)
        for scale in scales:
            name = f"ours, condition dropout {share:g}"
            yield Row(name, SHORT_STEPS, f"s = {scale:g}", accuracies(model, judge, short, scale))


def along_training(ddpm: params.Ddpm, judge: Judge, steps: int) -> Iterator[Row]:
    """The students' network and training loop, with both statistics of BatchNorm."""
    with rng.seeded_init(SEED, "digit claims"):
        timesteps = denoisers.COURSE_TIMESTEPS
        network = ContextUnet(num_labels=NUM_LABELS, n_feat=CHANNELS, timesteps=timesteps)
    levels = Schedule(denoisers.ABAR.double())
    with files_of_digits(ddpm) as batches:
        loss = denoisers.noise_loss(network)
        advance = denoisers.plain_training(network, loss, batches, steps // POINTS, lr=LR)
        for point in range(1, POINTS + 1):
            network.train()
            advance()
            for drawn, training in ((EVAL, False), (BATCH, True)):
                used = copy.deepcopy(network).train(training).requires_grad_(False)
                model = Denoiser(used, levels, "eps", ddpm.domains, "fp32")
                found = accuracies(model, judge, ddpm, GUIDED)
                yield Row("students' loop", point * (steps // POINTS), drawn, found)


def accuracies(
    model: Denoiser, judge: Judge, ddpm: params.Ddpm, scale: float
) -> dict[str, Estimate]:
    """The accuracy of generated images by domain."""
    found = quality(model, judge, ddpm, scale)
    return {domain: of_domain.accuracy for domain, of_domain in found.items()}


def table(rows: Sequence[Row], images: int) -> str:
    """The results in Markdown."""
    domains = list(rows[0].accuracy)
    lines = [
        f"Accuracy of generated digits by the judge on {machine()}, with 95 % intervals, n ="
        f" {images} a domain, one seed. The students' loop draws with guidance scale {GUIDED:g}.",
        "",
        f"| training | steps | drawn with | {' | '.join(domains)} |",
        "|---|---|---|" + "---|" * len(domains),
    ]
    for row in rows:
        cells = " | ".join(
            f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
            for found in row.accuracy.values()
        )
        lines.append(f"| {row.training} | {row.steps} | {row.drawn} | {cells} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Train, measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=3000, help="of the students' training loop")
    parser.add_argument("--images-per-label", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("benchmarks"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    ddpm = params.load("params.yaml").ddpm
    guidance = ddpm.guidance.model_copy(update={"images_per_label": options.images_per_label})
    ddpm = ddpm.model_copy(update={"guidance": guidance})
    judge = load_judge(JUDGE, CPU)
    rows = []
    for rows_of in (condition_dropout(ddpm, judge), along_training(ddpm, judge, options.steps)):
        for row in rows_of:
            rows.append(row)
            print(table([row], 10 * options.images_per_label).splitlines()[-1], flush=True)
    record = [asdict(row) for row in rows]
    (options.out / "digit_claims.json").write_text(json.dumps(record, indent=2) + "\n")
    (options.out / "digit_claims.md").write_text(table(rows, 10 * options.images_per_label))


if __name__ == "__main__":
    main()

"""Bound how much longer a student recipe trains until its digits are as good as ours.

    python benchmarks/equal_quality.py [--steps 400] [--factor 15]

Ours trains for `--steps` steps, an eighth of the demo's by default. The student recipe (ContextUnet
with 128 channels, T = 400, Adam in fp32, a PNG for each image) then trains for `--factor` times the
processor seconds that ours took. If its digits are worse, equal quality takes it longer than that.
One sampler, number of steps and guidance scale draw the digits of both, so that only trainings are
compared. The bound holds at the quality of our short training, not at that of the whole one.

It needs `data/arrays` and `results/judge` of a run; no image of the test split is read. Writes
equal_quality.json and equal_quality.md into --out.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from denoiser_recipes import CPU, JUDGE, Quality, files_of_digits, quality, recipe, train
from report import machine
from rows import denoisers

from hw2.config import params
from hw2.ddpm.denoiser import Denoiser
from hw2.diffusion.schedule import Schedule
from hw2.evaluation.judge import load_judge

OURS, STUDENT = "ours", "student recipe"
SCALE = 3.0
REPORT_SECONDS = 60.0


@dataclass(frozen=True)
class Training:
    """A training that was measured: its processor seconds, its steps, and quality by domain."""

    name: str
    seconds: float
    steps: int
    quality: dict[str, Quality]


def student(ddpm: params.Ddpm, seconds: float) -> tuple[Denoiser, int]:
    """The student recipe after so many processor seconds of training, and its number of steps."""
    network, steps, said = denoisers.student(), 0, 0.0
    with files_of_digits(ddpm) as batches:
        step = denoisers.plain_training(network, denoisers.noise_loss(network), batches, 1)
        start = time.process_time()
        while (taken := time.process_time() - start) < seconds:
            if taken >= said + REPORT_SECONDS:
                said = taken
                print(f"{STUDENT}: step {steps}, {taken:.0f} of {seconds:.0f} s", flush=True)
            step()
            steps += 1
    network.eval().requires_grad_(False)
    levels = Schedule(denoisers.ABAR.double())
    return Denoiser(network, levels, "eps", ddpm.domains, "fp32"), steps


def table(trainings: Sequence[Training], images: int) -> str:
    """The results in Markdown."""
    domains = list(trainings[0].quality)
    lines = [
        f"Digits of {', '.join(domains)} on {machine()}, one thread. Accuracy by the judge with its"
        f" 95 % interval, Fréchet distance and recall relative to real images, n = {images} a"
        f" domain, guidance scale {SCALE:g}, random streams of the val split.",
        "",
        f"| training | processor seconds | steps | {' | '.join(domains)} |",
        "|---|---|---|" + "---|" * len(domains),
    ]
    for training in trainings:
        cells = " | ".join(str(found) for found in training.quality.values())
        lines.append(f"| {training.name} | {training.seconds:.0f} | {training.steps} | {cells} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Train both, measure both, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=400, help="of our training")
    parser.add_argument("--factor", type=float, default=15, help="of our processor seconds")
    parser.add_argument("--images-per-label", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("benchmarks"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    base = params.load("params.yaml").ddpm
    guidance = base.guidance.model_copy(update={"images_per_label": options.images_per_label})
    ddpm = recipe(base.model_copy(update={"guidance": guidance}), {}, options.steps)
    judge = load_judge(JUDGE, CPU)
    ours, seconds = train(ddpm)
    theirs, steps = student(ddpm, options.factor * seconds)
    trainings = [
        Training(name, taken, count, quality(model, judge, ddpm, SCALE))
        for name, taken, count, model in (
            (OURS, seconds, options.steps, replace(ours, precision="fp32")),
            (STUDENT, options.factor * seconds, steps, theirs),
        )
    ]
    text = table(trainings, 10 * options.images_per_label)
    record = [asdict(training) for training in trainings]
    (options.out / "equal_quality.json").write_text(json.dumps(record, indent=2) + "\n")
    (options.out / "equal_quality.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

"""Recipes of the digit model at equal seconds of one core, by sample quality on the val split.

    python benchmarks/denoiser_recipes.py [--seconds 280] [--recipes NAME ...]

It needs `data/arrays` and `results/judge` (`dvc repro digits_pack judge_train`). A recipe changes
some parameters of params.yaml; its number of steps is what the seconds allow, by timed steps that
alternate between the recipes. A cell holds accuracy with its 95 % interval, Frechet distance and
recall, the latter two divided by those of real images. Results are those of one seed. No image of
the test split is read.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rows.per_item import Batches, PerItem, forever, written

from hw2.config import params
from hw2.ddpm import denoiser
from hw2.ddpm.denoiser import Denoiser
from hw2.ddpm.sample import request_all_labels, sample_images
from hw2.ddpm.train import train_ddpm
from hw2.diffusion import schedule
from hw2.diffusion.guidance import Guidance
from hw2.digits import arrays
from hw2.digits.arrays import Digits
from hw2.digits.labels import LABELED_DOMAINS, label_of
from hw2.evaluation import sample_quality
from hw2.evaluation.intervals import Estimate
from hw2.evaluation.judge import Judge, load_judge
from hw2.training.resume import Resume

ARRAYS, JUDGE = Path("data/arrays"), Path("results/judge")
CPU = torch.device("cpu")
SCALES = (1.0, 2.5)
TIMED_STEPS = 20
UNIFORM = {"timestep_distribution": "uniform"}
RECIPES: dict[str, dict[str, dict[str, Any]]] = {
    "timesteps uniform": {"train": UNIFORM},
    "uniform, 48 channels": {"train": UNIFORM, "network": {"base_channels": 48}},
    "uniform, patches of 4, 96 channels": {
        "train": UNIFORM,
        "network": {"patch_size": 4, "base_channels": 96, "channel_mult": (1,)},
    },
    "uniform, batch 32": {"train": {**UNIFORM, "batch_size": 32}},
    "logit-normal (0, 1)": {"train": {"logit_mean": 0.0, "logit_std": 1.0}},
    "logit-normal (0, 0.7)": {"train": {"logit_mean": 0.0, "logit_std": 0.7}},
    "logit-normal (0.4, 0.8)": {"train": {"logit_mean": 0.4, "logit_std": 0.8}},
    "logit-normal (0, 1), batch 32": {
        "train": {"logit_mean": 0.0, "logit_std": 1.0, "batch_size": 32}
    },
}


@dataclass(frozen=True)
class Quality:
    """Accuracy of generated images; Fréchet distance and recall, divided by those of real ones."""

    accuracy: Estimate
    frechet: float
    recall: float

    def __str__(self) -> str:
        ends = f"{self.accuracy.low:.3f} to {self.accuracy.high:.3f}"
        return f"{self.accuracy.value:.3f} ({ends}) / {self.frechet:.1f} / {self.recall:.2f}"


def recipe(base: params.Ddpm, changes: dict[str, dict[str, Any]], steps: int) -> params.Ddpm:
    """The parameters of a recipe, with `steps` steps in one thread."""
    values = base.model_dump()
    for section, changed in changes.items():
        values[section] |= changed
    warmup = min(values["train"]["warmup_steps"], steps - 1)
    once = {"steps": steps, "microbatches": 1, "save_every": steps, "warmup_steps": warmup}
    values["train"] |= once | {"ema_decay": max(0.0, 1 - 5 / steps)}  # over a fifth of the steps
    return params.Ddpm.model_validate(values)


def train(ddpm: params.Ddpm) -> tuple[Denoiser, float]:
    """The trained model and the seconds of the processor that it took."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        weights, _ = train_ddpm(ddpm, ARRAYS, Resume(folder, {}), CPU)
    seconds = time.process_time() - start
    network = denoiser.build(ddpm.network, ddpm.diffusion.timesteps)
    network.load_state_dict(weights)
    network.to(memory_format=torch.channels_last).eval().requires_grad_(False)
    levels = schedule.make(ddpm.diffusion.schedule, ddpm.diffusion.timesteps)
    model = Denoiser(network, levels, ddpm.diffusion.prediction, ddpm.domains, "fp32")
    return model, seconds


@contextmanager
def files_of_digits(ddpm: params.Ddpm) -> Iterator[Batches]:
    """Batches of the training digits as students read them: a PNG for each, one by one."""
    digits = {domain: arrays.load(ARRAYS, domain, "train") for domain in ddpm.domains}
    labels = np.concatenate([data.digits + label_of(name, 0) for name, data in digits.items()])
    with tempfile.TemporaryDirectory() as folder:
        files = written(Path(folder), np.concatenate([data.rgb for data in digits.values()]))
        yield forever(PerItem(files, labels.tolist()), ddpm.train.batch_size)


def quality(model: Denoiser, judge: Judge, ddpm: params.Ddpm, scale: float) -> dict[str, Quality]:
    """The quality of generated images by domain, on the random streams of the val split."""
    request = request_all_labels(model.domains, ddpm.guidance.images_per_label)
    images = sample_images(model, request, ddpm.sampling, guidance=Guidance(scale), split="val")
    found = {}
    for domain in model.domains:
        mask = request.domains == LABELED_DOMAINS.index(domain)
        generated = Digits(images[mask], request.digits[mask])
        accuracy = judge.accuracy(generated.rgb, generated.digits, domain)
        measured = sample_quality.measure(
            judge, generated, domain, ARRAYS, split="val", other="train"
        )
        shares = (sample_quality.share(measured, name) for name in ("frechet", "recall"))
        found[domain] = Quality(accuracy, *shares)
    return found


def steps_in(seconds: float, base: params.Ddpm, names: list[str]) -> dict[str, int]:
    """How many steps of each recipe the seconds allow."""
    shortest = dict.fromkeys(names, float("inf"))
    for _ in range(3):
        for name in names:
            ddpm = recipe(base, RECIPES[name], TIMED_STEPS)
            shortest[name] = min(shortest[name], train(ddpm)[1] / TIMED_STEPS)
    return {name: max(TIMED_STEPS, round(seconds / shortest[name])) for name in names}


def main() -> None:
    """Print the table as Markdown, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=280, help="of one core, for each recipe")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    base = params.load("params.yaml").ddpm
    judge = load_judge(JUDGE, CPU)
    steps = steps_in(arguments.seconds, base, arguments.recipes)
    head = [f"s = {scale:g}, {domain}" for scale in SCALES for domain in base.domains]
    print("| recipe | steps | " + " | ".join(head) + " |")
    print("|---|---|" + "---|" * len(head))
    for name in arguments.recipes:
        ddpm = recipe(base, RECIPES[name], steps[name])
        model, _ = train(ddpm)
        by_scale = [quality(model, judge, ddpm, scale) for scale in SCALES]
        cells = [str(cell) for found in by_scale for cell in found.values()]
        print(f"| {name} | {steps[name]} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()

"""Wall time of 10 faces in 50 DDIM steps: ours against diffusers' own DDIMPipeline.

    python benchmarks/ddim_faces.py [MODEL.safetensors] [--rounds 5] [--threads 0] [--check]

Both have the same network with the same weights and noise levels, and the same numbers of images
and steps, in one process. Without a model file the network of params.yaml is used untrained, which
takes as long. Rounds alternate, and the best round of each counts, so that a busy machine hurts
both alike. `--check` ends with 1 if ours takes longer.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from diffusers import DDIMPipeline, DDIMScheduler
from torch import Tensor, nn

from hw2.config import params
from hw2.faces import model as models
from hw2.faces import noises, train
from hw2.faces.model import FaceModel
from hw2.faces.sample import Setting, sample, stretched
from hw2.runtime import device

ROOT = Path(__file__).resolve().parents[1]
CPU = torch.device("cpu")
STEPS, IMAGES = 50, noises.COUNT
THEIR_NAME = {"eps": "epsilon", "v": "v_prediction", "x0": "sample"}


class AsTheirs(nn.Module):
    """Our network in the form of a UNet2DModel."""

    def __init__(self, model: FaceModel) -> None:
        super().__init__()
        self.network = model.network
        self.config = SimpleNamespace(sample_size=model.size, in_channels=3)
        self.dtype, self.device = torch.float32, CPU

    def forward(self, images: Tensor, t: Tensor) -> SimpleNamespace:
        return SimpleNamespace(sample=self.network(images, t.expand(len(images))))


def main() -> int:
    """Measure throughput and print it."""
    arguments = _arguments()
    settings = params.load(ROOT / "params.yaml")
    threads = device.use_threads(arguments.threads)
    model = models.load(arguments.model, CPU) if arguments.model else _untrained(settings.faces)
    variants = {"ours": _ours(model, settings.faces.ddim), "diffusers": _theirs(model)}
    best = dict.fromkeys(variants, float("inf"))
    for run in variants.values():
        run()  # the first call makes plans for the network's shapes
    for _ in range(arguments.rounds):
        for name, run in variants.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    ratio = best["diffusers"] / best["ours"]
    report = {
        "threads": threads,
        "images": IMAGES,
        "steps": STEPS,
        "size": model.size,
        **{f"{name}_seconds": round(seconds, 3) for name, seconds in best.items()},
        "times_as_fast": round(ratio, 3),
    }
    print(json.dumps(report, indent=2))
    return int(arguments.check and ratio < 1)


def _untrained(faces: params.Faces) -> FaceModel:
    blueprint, levels = train.blueprint(faces), train.levels(faces)
    return models.ready(blueprint.build(), blueprint, levels, CPU)


def _ours(model: FaceModel, ddim: params.Ddim) -> Callable[[], object]:
    noise_by_name = noises.draw(ddim.seed, model.size)
    names, stack = list(noise_by_name), torch.stack(list(noise_by_name.values()))
    setting = Setting(STEPS, "leading", 0.0)

    def run() -> object:
        sampled = sample(model, stack, names, setting, seed=ddim.seed, batch=ddim.batch_size)
        return stretched(sampled).numpy()

    return run


def _theirs(model: FaceModel) -> Callable[[], object]:
    scheduler: Any = DDIMScheduler(
        model.schedule.timesteps, prediction_type=THEIR_NAME[model.prediction], clip_sample=True
    )
    scheduler.alphas_cumprod = model.schedule.abar.float()
    pipeline: Any = DDIMPipeline(AsTheirs(model), scheduler)
    pipeline.set_progress_bar_config(disable=True)

    def run() -> object:
        stream = torch.Generator().manual_seed(0)
        return pipeline(
            batch_size=IMAGES,
            generator=stream,
            num_inference_steps=STEPS,
            eta=0.0,
            output_type="np",
        ).images

    return run


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0 for all cores")
    parser.add_argument("--check", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

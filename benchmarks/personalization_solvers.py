"""Solvers and step counts for personalized images, on prompts that the report does not use.

    python benchmarks/personalization_solvers.py [--prompts 48] [--sheet FILE.png]

Half of the prompts have a noun of the vocabulary, half a style. All solvers start from the same
noises. Prints a Markdown table:

seconds: of the processor, for an image
text score: mean CLIP text score, and its paired difference from the first row's
own prompt: share of images that are more similar to their own prompt than to all others
distance: root mean square difference of pixels in [0, 1] from 100 steps of the model's own sampler
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from hw2.clip import model as clip_models
from hw2.clip import weights
from hw2.config import params
from hw2.evaluation import image_metrics
from hw2.evaluation.intervals import proportion
from hw2.evaluation.paired_difference import paired_gain
from hw2.personalization.clip_scores import Scorer
from hw2.shapes import vocabulary
from hw2.stable_diffusion import load, sample

SEED = 5000
SETTINGS = (("pipeline", 20), ("dpmpp", 8), ("dpmpp", 12), ("dpmpp", 20))
REFERENCE = ("pipeline", 100)
CPU = torch.device("cpu")


def prompts(count: int, shapes: params.Shapes) -> list[str]:
    """Prompts with nouns and with styles, in turn."""
    nouns = vocabulary.nouns(shapes.num_nouns)[:: shapes.num_nouns // count]
    names = vocabulary.style_names(shapes.num_styles)[:: max(1, shapes.num_styles // count)]
    figures = tuple(vocabulary.SHAPES)
    texts = []
    for k in range(count // 2):
        texts.append(f"a photo of {vocabulary.with_article(nouns[k])} on a gray background")
        figure = vocabulary.with_article(figures[k % len(figures)])
        texts.append(f"a photo of {figure} in the style of {names[k % len(names)]}")
    return texts


def draw(
    pipe: Any, texts: list[str], sampling: params.PersonalizationSampling, setting: tuple[str, int]
) -> tuple[np.ndarray, float]:
    """Images uint8 (N, S, S, 3), and seconds of the processor for each."""
    own_scheduler = pipe.scheduler
    sample.use_sampler(pipe, setting[0])
    requests = [sample.SampleRequest(text, "solvers", k) for k, text in enumerate(texts)]
    settings = sampling.model_copy(update={"steps": setting[1]})
    start = time.process_time()
    images = sample.sample_requests(pipe, requests, settings, seed=SEED)
    seconds = time.process_time() - start
    pipe.scheduler = own_scheduler
    return images, seconds / len(texts)


def main() -> None:
    """Print a row for each setting."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--prompts", type=int, default=48)
    parser.add_argument("--sheet", type=Path, help="PNG to compare by eye, a row for each setting")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = params.load("params.yaml")
    personalization, folder = settings.personalization, Path(settings.stable_diffusion.weights)
    pipe = load.load(settings.stable_diffusion, folder, CPU)
    clip_folder = Path(personalization.clip.weights)
    scorer = Scorer(clip_models.load(weights.locate(personalization.clip, clip_folder), CPU))
    texts = prompts(arguments.prompts, settings.shapes)
    reference, _ = draw(pipe, texts, personalization.sampling, REFERENCE)
    print("| solver | seconds | text score | difference | own prompt | distance |")
    print("|---|---|---|---|---|---|")
    first: np.ndarray | None = None
    rows = [reference]
    for setting in SETTINGS:
        images, seconds = draw(pipe, texts, personalization.sampling, setting)
        rows.append(images)
        table = np.stack([scorer.text(list(images), text) for text in texts], 1)  # image, prompt
        own = np.diagonal(table)
        first = own if first is None else first
        gain = paired_gain(own[None], first[None]).named("gain")
        share = proportion(table.argmax(1) == np.arange(len(texts)))
        print(
            f"| {setting[0]}, {setting[1]} steps | {seconds:.3f} | {own.mean():.2f}"
            f" | {gain['gain']:.2f} ({gain['gain_low']:.2f} to {gain['gain_high']:.2f})"
            f" | {share.value:.2f} ({share.low:.2f} to {share.high:.2f}), n = {len(texts)}"
            f" | {image_metrics.distance(images, reference).mean():.3f} |",
            flush=True,
        )
    if arguments.sheet:
        sheet = np.concatenate([np.concatenate(list(row), 1) for row in rows])
        Image.fromarray(sheet).save(arguments.sheet)


if __name__ == "__main__":
    main()

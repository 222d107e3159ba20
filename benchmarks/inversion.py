"""Textual inversion of random objects that are neither nouns nor the report's concepts.

    python benchmarks/inversion.py FOLDER [--model data/pretrained/stable-diffusion] [--objects 6]

Learning rates, checkpoints of the model and guidance are compared on these objects, so that nothing
is chosen on what the report shows. Each object is learned from five photographs with the parameters
of `personalization.train`, then drawn in held-out prompts. FOLDER gets, for a reading by eye,
`photographs.png` (a row for each object) and `generated_<row>.png`, whose rows are shuffled;
`key.json` says which is which. Prints a Markdown table:

image score: mean CLIP image score against the photographs, and that of the initializer's word
picked: share of generated images whose nearest photograph in CLIP's features, among those of the
    objects and of 34 other random ones, shows the right object
error: mean squared error of the predicted latents of unseen photographs at three noise levels,
    relative to that with the initializer's word
"""

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from hw2 import rng
from hw2.clip import model as clip_models
from hw2.clip import weights
from hw2.config import params
from hw2.evaluation.intervals import proportion
from hw2.personalization import batches, tokens, train
from hw2.personalization.clip_scores import Scorer
from hw2.personalization.photos import Concept
from hw2.personalization.synthetic import images_of_object
from hw2.shapes import vocabulary
from hw2.shapes.records import concatenated
from hw2.shapes.render import Looks
from hw2.stable_diffusion import load, sample
from hw2.training.resume import Resume

SEED = 4000
PHOTOGRAPHS, UNSEEN, OTHERS = 5, 20, 34
IMAGES = 10  # of each prompt
PROMPTS = ("a photo of a {} on a pink background", "a picture of a {} on a cyan background")
INITIALIZER = "thing"
TIMES = (300, 500, 700)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Measured:
    """What one object gave.

    Attributes:
        images: uint8 (N, S, S, 3), drawn with the token, prompt by prompt.
        image_score, word_score: Mean image scores with the token and with the initializer's word.
        picked: bool (N,), whether the nearest photograph shows the object.
        error: Relative to that with the initializer's word.
    """

    images: np.ndarray
    image_score: float
    word_score: float
    picked: np.ndarray
    error: float


def random_objects(count: int) -> Looks:
    """The looks of random objects, each from its own stream."""
    streams = (rng.numpy_rng(SEED, "object", row) for row in range(count))
    return concatenated([vocabulary.random_looks(stream, 1) for stream in streams])


def photographs(looks: Looks, row: int, count: int, size: int) -> np.ndarray:
    """Photographs uint8 (count, size, size, 3) of object `row`."""
    stream = rng.numpy_rng(SEED, "photographs", row, count)
    return images_of_object(stream, looks[np.array([row])], count, size)[0]


def learn(pipe: Any, concept: Concept, personalization: params.Personalization, seed: int) -> None:
    """Add the token of `concept` to the pipeline and learn its embedding."""
    spec, settings = concept.spec, personalization.train
    initial = tokens.initial_embedding(pipe, spec.initializer, spec.vectors)
    added = tokens.add(pipe, spec.token, initial)
    batch_function = batches.single(
        concept, added, size=load.image_size(pipe), batch_size=settings.batch_size, seed=seed,
        wording=personalization.wording, augment=settings.augment,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        rows, _, _ = train.train_embeddings(
            pipe, (added,), batch_function, settings, steps=settings.steps, lr=settings.lr,
            seed=seed, resume=Resume(folder, {}), desc=spec.token,
        )  # fmt: skip
    tokens.set_embedding(pipe, added, rows)


def drawn(pipe: Any, word: str, personalization: params.Personalization, seed: int) -> np.ndarray:
    """Images uint8 of all prompts with `word`; equal noises for equal seeds."""
    requests = [
        sample.SampleRequest(prompt.format(word), f"prompt {position}", number)
        for position, prompt in enumerate(PROMPTS)
        for number in range(IMAGES)
    ]
    return sample.sample_requests(pipe, requests, personalization.sampling, seed=seed)


@torch.no_grad()
def error(pipe: Any, word: str, images: np.ndarray, seed: int) -> float:
    """Mean squared error of predicted latents of photographs, over `TIMES`."""
    pixels = batches.to_tensor(list(images))
    latents = pipe.vae.encode(pixels).latent_dist.mean * pipe.vae.config.scaling_factor
    ids = train.encoded(pipe, [f"a photo of a {word}"] * len(images))
    states, total = pipe.text_encoder(ids)[0], 0.0
    for time in TIMES:
        noise = torch.randn(latents.shape, generator=rng.torch_rng(seed, "noise", time))
        times = torch.full((len(images),), time)
        noisy = pipe.scheduler.add_noise(latents, noise, times)
        output = pipe.unet(noisy, times, encoder_hidden_states=states).sample
        total += float((output - latents).square().mean())
    return total / len(TIMES)


def measure(
    pipe: Any, scorer: Scorer, looks: Looks, row: int, all_features: np.ndarray,
    personalization: params.Personalization,
) -> Measured:  # fmt: skip
    """Learn and draw object `row`; `all_features` float (objects, photographs, F)."""
    size, seed = load.image_size(pipe), rng.derive(SEED, "object", row)
    token = f"<object{row}>"
    spec = params.Concept(
        key=str(row), token=token, kind="object", initializer=INITIALIZER, vectors=1
    )
    images = photographs(looks, row, PHOTOGRAPHS, size)
    full = tuple(np.ones(image.shape[:2], bool) for image in images)
    learn(pipe, Concept(spec, tuple(images), full), personalization, seed)
    made = drawn(pipe, token, personalization, seed)
    features, own = scorer.features(list(made)), all_features[row]
    nearest = np.einsum("nf,opf->nop", features, all_features).max(2).argmax(1)
    words = scorer.features(list(drawn(pipe, INITIALIZER, personalization, seed)))
    unseen = photographs(looks, row, UNSEEN, size)
    return Measured(
        made,
        image_score=100 * float((features @ own.T).mean()),
        word_score=100 * float((words @ own.T).mean()),
        picked=nearest == row,
        error=error(pipe, token, unseen, seed) / error(pipe, INITIALIZER, unseen, seed),
    )


def save_sheets(folder: Path, references: list[np.ndarray], made: list[np.ndarray]) -> None:
    """Write the photographs, the generated images in shuffled order, and the key."""
    folder.mkdir(parents=True, exist_ok=True)
    order = rng.numpy_rng(SEED, "order").permutation(len(made))
    Image.fromarray(sheet(references)).save(folder / "photographs.png")
    for position, row in enumerate(order):
        halves = np.split(made[row], len(PROMPTS))
        Image.fromarray(sheet(halves)).save(folder / f"generated_{position}.png")
    key = {f"generated_{position}": int(row) for position, row in enumerate(order)}
    (folder / "key.json").write_text(json.dumps(key, indent=2) + "\n", encoding="utf-8")


def sheet(rows: list[np.ndarray], scale: int = 3) -> np.ndarray:
    """Rows of images uint8 (N, S, S, 3) as one image, enlarged `scale` times."""
    joined = np.concatenate([np.concatenate(list(row), 1) for row in rows])
    return joined.repeat(scale, 0).repeat(scale, 1)


def main() -> None:
    """Print a row for each object, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where the sheets go")
    parser.add_argument("--model", default="data/pretrained/stable-diffusion")
    parser.add_argument("--objects", type=int, default=6)
    arguments = parser.parse_args()
    settings = params.load("params.yaml")
    personalization = settings.personalization
    model = settings.stable_diffusion.model_copy(update={"weights": arguments.model})
    pipe = load.load(model, Path(arguments.model), CPU)
    sample.use_sampler(pipe, personalization.sampling.sampler)
    clip_folder = Path(personalization.clip.weights)
    scorer = Scorer(clip_models.load(weights.locate(personalization.clip, clip_folder), CPU))
    count = arguments.objects
    looks = random_objects(count + OTHERS)
    size = load.image_size(pipe)
    references = [photographs(looks, row, PHOTOGRAPHS, size) for row in range(count + OTHERS)]
    features = np.stack([scorer.features(list(images)) for images in references])
    print("| object | image score | with the word | picked | error |\n|---|---|---|---|---|")
    measured = []
    for row in range(count):
        one = measure(pipe, scorer, looks, row, features, personalization)
        measured.append(one)
        _print(str(row), one.image_score, one.word_score, one.picked, one.error)
    _print(
        "all",
        float(np.mean([one.image_score for one in measured])),
        float(np.mean([one.word_score for one in measured])),
        np.concatenate([one.picked for one in measured]),
        float(np.mean([one.error for one in measured])),
    )
    save_sheets(arguments.folder, references[:count], [one.images for one in measured])


def _print(name: str, image: float, word: float, picked: np.ndarray, error: float) -> None:
    share = proportion(picked)
    print(
        f"| {name} | {image:.1f} | {word:.1f} | {share.value:.2f}"
        f" ({share.low:.2f} to {share.high:.2f}), n = {picked.size} | {error:.3f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()

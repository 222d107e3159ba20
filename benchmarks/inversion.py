"""Textual inversion of random objects or styles that have no name and are not the report's.

    python benchmarks/inversion.py FOLDER [--kind style] [--concepts 6] [--model FOLDER]

Learning rates, checkpoints of the model and guidance are compared on these concepts, so that
nothing is chosen on what the report shows. Each is learned from five photographs with the
parameters of `personalization.train`, then drawn in held-out prompts. FOLDER gets, to read by eye,
`photographs.png` (a row for each concept) and `generated_<row>.png`, whose rows are shuffled;
`key.json` says which is which. Prints a Markdown table:

image score: mean CLIP image score against the photographs, and that of the initializer's word
picked: share of generated images whose nearest photograph in CLIP's features, among those of the
    concepts and of 34 other random ones, shows the right concept
error: mean squared error of the predicted latents of unseen photographs at three noise levels,
    relative to that with the initializer's word
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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
from hw2.personalization.synthetic import images_in_style, images_of_object
from hw2.shapes import styles, vocabulary
from hw2.stable_diffusion import load, sample, style_embedding
from hw2.training.resume import Resume

SEED = 4000
PHOTOGRAPHS, UNSEEN, OTHERS = 5, 20, 34
STYLE_NAMES = 600  # that the model in data/pretrained knows
IMAGES = 10  # of each prompt
TIMES = (300, 500, 700)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Kind:
    """Random concepts of a kind.

    Attributes:
        name: As in `personalization.concepts`.
        initializer: From a concept's number, the word that its embedding starts from.
        prompts: Prompts that are drawn, with {} for the token.
        sentence: Describes the photographs, for `error`.
        photographs: From a concept's number, a count and a size, uint8 (count, size, size, 3).
    """

    name: Literal["object", "style"]
    initializer: Callable[[int], str]
    prompts: tuple[str, str]
    sentence: str
    photographs: Callable[[int, int, int], np.ndarray]


@dataclass(frozen=True)
class Measured:
    """What one concept gave.

    Attributes:
        images: uint8 (N, S, S, 3), drawn with the token, prompt by prompt.
        image_score, word_score: Mean image scores with the token and with the initializer's word.
        picked: bool (N,), whether the nearest photograph shows the concept.
        error: Relative to that with the initializer's word.
    """

    images: np.ndarray
    image_score: float
    word_score: float
    picked: np.ndarray
    error: float


def of_object(row: int, count: int, size: int) -> np.ndarray:
    """Photographs of random object `row`."""
    looks = vocabulary.random_looks(rng.numpy_rng(SEED, "object", row), 1)
    return images_of_object(rng.numpy_rng(SEED, "photographs", row, count), looks, count, size)[0]


def random_style(row: int) -> styles.Styles:
    """Random style `row`."""
    return styles.random_styles(rng.numpy_rng(SEED, "style", row), 1)


def similar_style(row: int) -> str:
    """The name of the style that is most similar to random style `row`."""
    named = style_embedding.features(vocabulary.style_meanings(STYLE_NAMES))
    apart = (named - style_embedding.features(random_style(row))).norm(dim=1)
    return vocabulary.style_names(STYLE_NAMES)[int(apart.argmin())]


def in_style(row: int, count: int, size: int) -> np.ndarray:
    """Photographs of random shapes in random style `row`."""
    style = random_style(row)
    stream = rng.numpy_rng(SEED, "photographs in a style", row, count)
    shapes = stream.permutation(len(vocabulary.SHAPES))
    return images_in_style(stream, style, np.resize(shapes, count), size)


KINDS = {
    "object": Kind(
        "object",
        lambda row: "thing",
        ("a photo of a {} on a pink background", "a picture of a {} on a cyan background"),
        "a photo of a {}",
        of_object,
    ),
    "style": Kind(
        "style",
        similar_style,
        ("a photo of a star in the style of {}", "a picture of a cross in the style of {}"),
        "a photo of a thing in the style of {}",
        in_style,
    ),
}


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


def drawn(
    pipe: Any, prompts: tuple[str, str], word: str, sampling: params.PersonalizationSampling,
    seed: int,
) -> np.ndarray:  # fmt: skip
    """Images uint8 of all prompts with `word`; equal noises for equal seeds."""
    requests = [
        sample.SampleRequest(prompt.format(word), f"prompt {position}", number)
        for position, prompt in enumerate(prompts)
        for number in range(IMAGES)
    ]
    return sample.sample_requests(pipe, requests, sampling, seed=seed)


@torch.no_grad()
def error(pipe: Any, text: str, images: np.ndarray, seed: int) -> float:
    """Mean squared error of the latents of photographs predicted under `text`, over `TIMES`."""
    pixels = batches.to_tensor(list(images))
    latents = pipe.vae.encode(pixels).latent_dist.mean * pipe.vae.config.scaling_factor
    ids = train.encoded(pipe, [text] * len(images))
    states, total = pipe.text_encoder(ids)[0], 0.0
    for time in TIMES:
        noise = torch.randn(latents.shape, generator=rng.torch_rng(seed, "noise", time))
        times = torch.full((len(images),), time)
        noisy = pipe.scheduler.add_noise(latents, noise, times)
        output = pipe.unet(noisy, times, encoder_hidden_states=states).sample
        total += float((output - latents).square().mean())
    return total / len(TIMES)


def measure(
    pipe: Any, scorer: Scorer, kind: Kind, row: int, all_features: np.ndarray,
    personalization: params.Personalization,
) -> Measured:  # fmt: skip
    """Learn and draw concept `row`; `all_features` float (concepts, photographs, F)."""
    size, seed = load.image_size(pipe), rng.derive(SEED, kind.name, row)
    token, initializer = f"<{kind.name}{row}>", kind.initializer(row)
    spec = params.Concept(
        key=str(row), token=token, kind=kind.name, initializer=initializer, vectors=1
    )
    images = kind.photographs(row, PHOTOGRAPHS, size)
    full = tuple(np.ones(image.shape[:2], bool) for image in images)
    learn(pipe, Concept(spec, tuple(images), full), personalization, seed)
    unseen = kind.photographs(row, UNSEEN, size)
    made, of_word = (
        drawn(pipe, kind.prompts, word, personalization.sampling, seed)
        for word in (token, initializer)
    )
    learned, unlearned = (
        error(pipe, kind.sentence.format(word), unseen, seed) for word in (token, initializer)
    )
    features, own = scorer.features(list(made)), all_features[row]
    nearest = np.einsum("nf,opf->nop", features, all_features).max(2).argmax(1)
    return Measured(
        made,
        image_score=100 * float((features @ own.T).mean()),
        word_score=100 * float((scorer.features(list(of_word)) @ own.T).mean()),
        picked=nearest == row,
        error=learned / unlearned,
    )


def save_sheets(folder: Path, references: list[np.ndarray], made: list[np.ndarray]) -> None:
    """Write the photographs, the generated images in shuffled order, and the key."""
    folder.mkdir(parents=True, exist_ok=True)
    order = rng.numpy_rng(SEED, "order").permutation(len(made))
    Image.fromarray(sheet(references)).save(folder / "photographs.png")
    for position, row in enumerate(order):
        halves = np.split(made[row], 2)  # one for each prompt
        Image.fromarray(sheet(halves)).save(folder / f"generated_{position}.png")
    key = {f"generated_{position}": int(row) for position, row in enumerate(order)}
    (folder / "key.json").write_text(json.dumps(key, indent=2) + "\n", encoding="utf-8")


def sheet(rows: list[np.ndarray], scale: int = 3) -> np.ndarray:
    """Rows of images uint8 (N, S, S, 3) as one image, enlarged `scale` times."""
    joined = np.concatenate([np.concatenate(list(row), 1) for row in rows])
    return joined.repeat(scale, 0).repeat(scale, 1)


def main() -> None:
    """Print a row for each concept, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where the sheets go")
    parser.add_argument("--model", default="data/pretrained/stable-diffusion")
    parser.add_argument("--kind", choices=KINDS, default="object")
    parser.add_argument("--concepts", type=int, default=6)
    arguments = parser.parse_args()
    settings = params.load("params.yaml")
    personalization = settings.personalization
    model = settings.stable_diffusion.model_copy(update={"weights": arguments.model})
    pipe = load.load(model, Path(arguments.model), CPU)
    sample.use_sampler(pipe, personalization.sampling.sampler)
    clip_folder = Path(personalization.clip.weights)
    scorer = Scorer(clip_models.load(weights.locate(personalization.clip, clip_folder), CPU))
    kind, count, size = KINDS[arguments.kind], arguments.concepts, load.image_size(pipe)
    references = [kind.photographs(row, PHOTOGRAPHS, size) for row in range(count + OTHERS)]
    features = np.stack([scorer.features(list(images)) for images in references])
    print(f"| {kind.name} | image score | with the word | picked | error |\n|---|---|---|---|---|")
    measured = []
    for row in range(count):
        one = measure(pipe, scorer, kind, row, features, personalization)
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

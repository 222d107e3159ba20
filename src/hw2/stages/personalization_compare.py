"""Compare methods for two concepts in one image, over several seeds."""

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hw2.clip import model as clip_models
from hw2.clip import weights
from hw2.config import params
from hw2.io import files
from hw2.io.atomic import atomic_dir
from hw2.personalization import clip_scores, custom_diffusion, multi_concept, photos, tokens
from hw2.personalization.clip_scores import Scorer
from hw2.personalization.multi_concept import PriorPreservationImages, SeedRun
from hw2.personalization.photos import Concept
from hw2.personalization.tokens import AddedToken
from hw2.runtime.errors import UserError
from hw2.shapes import scenes
from hw2.stable_diffusion import load, sample
from hw2.training.resume import Resume
from hw2.training.session import Session

COLUMNS = (
    *("method", "seed", "prompt", "number", "first", "second", "text"),
    *("trained", "sampled", "bytes"),
)
CAPTIONS = "captions.json"
log = logging.getLogger(__name__)
_IDENTITY = ("wording", "concepts", "train", "sampling", "clip", "multi_concept")
_MAX_SIDE = 256  # of a stored image, in pixels


def run(
    stable_diffusion: params.StableDiffusion,
    personalization: params.Personalization,
    shapes: params.Shapes,
    *,
    stable_diffusion_model: Path,
    clip_model: Path,
    personalization_concepts: Path,
    multi_concept_table: Path,
    multi_concept_images: Path,
    multi_concept_weights: Path,
    checkpoints: Path,
    device: torch.device,
) -> None:
    """Write the table, the images and the weights of the comparison of multi-concept methods.

    multi_concept_table: a row for each method, seed, prompt and image, with the image scores of
        both concepts, the text score, and the cost of the method with that seed: `trained`, images
        that passed the U-Net in training (forward and backward, including the start that methods
        share), `sampled`, images that passed it while sampling, and `bytes` stored. Run times
        differ from run to run, so they are logged only. Method `photographs` is composites of the
        photographs.
    multi_concept_images: arrays `{method}` uint8 (prompts, N, S, S, 3) of the first seed.
    multi_concept_weights: `{method}/*.safetensors`, what the training of the first seed stores.
    """
    settings = personalization.multi_concept
    if not settings.seeds:
        files.write_table(multi_concept_table, [], COLUMNS)
        files.save_arrays(multi_concept_images)
        with atomic_dir(multi_concept_weights):
            pass
        return
    located = weights.locate(personalization.clip, clip_model)
    # Keys and values are trained: half precision would lose their small updates.
    pipe = load.load(stable_diffusion, stable_diffusion_model, device, precision="fp32")
    sample.use_sampler(pipe, personalization.sampling.sampler)
    specs = {spec.key: spec for spec in personalization.concepts}
    first, second = settings.pair
    pair = (
        photos.read(personalization_concepts, specs[first]),
        photos.read(personalization_concepts, specs[second]),
    )
    identity = {
        "personalization": personalization.model_dump(
            mode="json", include=set(_IDENTITY), exclude={"train": {"save_every"}}
        ),
        "model": load.digest(pipe),
    }
    added = _added(pipe, pair[0].spec), _added(pipe, pair[1].spec)
    scorer = Scorer(clip_models.load(located, device))
    prior_preservation = _prior_preservation_images(settings, shapes, load.image_size(pipe))
    with Session(checkpoints) as session:
        state = _measured(
            lambda seed: SeedRun(
                pipe, pair, added, personalization, prior_preservation,
                checkpoints / "trainings", identity, seed,
            ),
            settings,
            session.resume(identity, "table"),
        )  # fmt: skip
        rows = _rows(state["units"], settings, pair, scorer)
        rows += _photographs(pair, scorer, load.image_size(pipe))
        with atomic_dir(multi_concept_weights) as folder:
            for unit in state["units"]:
                if unit["seed"] == settings.seeds[0] and unit["rows"]:
                    _store(folder / unit["method"], unit, pair)
        shown = {u["method"]: u for u in state["units"] if u["seed"] == settings.seeds[0]}
        files.save_arrays(
            multi_concept_images, **{name: _small(u["images"]) for name, u in shown.items()}
        )
        files.write_table(multi_concept_table, rows, COLUMNS)


def _added(pipe: Any, spec: params.Concept) -> AddedToken:
    initial = tokens.initial_embedding(pipe, spec.initializer, spec.vectors)
    return tokens.add(pipe, spec.token, initial)


def _measured(
    run_with_seed: Any, settings: params.MultiConcept, resume: Resume
) -> multi_concept.State:
    """Run every method with every seed, one after the other; an interruption loses at most one."""
    resumed = resume.load_latest()
    state: multi_concept.State = resumed[1] if resumed else {"units": [], "start": None}
    work = [(seed, method) for seed in settings.seeds for method in settings.methods]
    for seed, method in work[len(state["units"]) :]:
        seed_run = run_with_seed(seed)
        start = state["start"]
        trained = method not in multi_concept.UNTRAINED
        started = time.monotonic()
        if trained and (start is None or start["seed"] != seed):
            start = seed_run.start() | {"seed": seed}
            state["start"] = start
        images, costs = multi_concept.measure(seed_run, method, start if trained else None)
        log.info("%s, seed %d: %.1f s", method, seed, time.monotonic() - started)
        unit = {"seed": seed, "method": method, "images": torch.from_numpy(images), **costs}
        state["units"].append(unit)
        resume.save(len(state["units"]), state)
    return state


def _rows(
    units: list[Any], settings: params.MultiConcept, pair: tuple[Concept, ...], scorer: Scorer
) -> list[dict[str, Any]]:
    first, second = (scorer.features(c.images) for c in pair)
    words = [c.spec.initializer for c in pair]
    rows = []
    for unit in units:
        size = sum(t.numel() * 4 for t in [*unit["rows"], *unit["deltas"].values()])
        for index, images in enumerate(unit["images"].numpy()):
            image = clip_scores.pair_image_scores(scorer, list(images), first, second)
            text = scorer.text(list(images), settings.prompts[index].format(*words))
            for number in range(len(images)):
                rows.append(
                    {
                        "method": unit["method"], "seed": unit["seed"], "prompt": index,
                        "number": number, "first": image[number, 0], "second": image[number, 1],
                        "text": text[number], "trained": unit["trained"],
                        "sampled": unit["sampled"], "bytes": size,
                    }
                )  # fmt: skip
    return rows


def _photographs(pair: tuple[Concept, ...], scorer: Scorer, size: int) -> list[dict[str, Any]]:
    """Scores of pairs of photographs side by side, the reference for what a method can reach."""
    first, second = (scorer.features(c.images) for c in pair)
    composites = [
        photos.composite(pair[0], pair[1], (i, j), size)
        for i in range(len(pair[0].images))
        for j in range(len(pair[1].images))
    ]
    scores = clip_scores.pair_image_scores(scorer, composites, first, second)
    return [
        {
            "method": "photographs", "seed": 0, "prompt": 0, "number": k, "first": a, "second": b,
            "text": None, "trained": 0, "sampled": 0, "bytes": 0,
        }
        for k, (a, b) in enumerate(scores)
    ]  # fmt: skip


def _store(folder: Path, unit: Any, pair: tuple[Concept, ...]) -> None:
    folder.mkdir(parents=True)
    for concept, rows in zip(pair, unit["rows"], strict=True):
        tokens.save(folder / f"{concept.spec.key}.safetensors", concept.spec.token, rows)
    if unit["deltas"]:
        custom_diffusion.save(folder / "keys_and_values.safetensors", unit["deltas"])


def _small(images: torch.Tensor) -> np.ndarray:
    """Images uint8 (prompts, N, S, S, 3), reduced to at most `_MAX_SIDE` pixels a side."""
    side = min(_MAX_SIDE, images.shape[2])
    flat = images.flatten(0, 1).numpy()
    small = np.stack([photos.squared(image, side) for image in flat])
    return small.reshape(*images.shape[:2], *small.shape[1:])


def _prior_preservation_images(
    settings: params.MultiConcept, shapes: params.Shapes, size: int
) -> PriorPreservationImages:
    """The captioned images that preserve the model's prior.

    Raises:
        UserError: if the folder does not hold images with captions.
    """
    if settings.prior_preservation_folder is None:
        wanted = {"train_images": settings.prior_preservation_images}
        synthetic = scenes.training(shapes.model_copy(update=wanted))
        return PriorPreservationImages(synthetic.images, synthetic.captions)
    folder = Path(settings.prior_preservation_folder)
    captions = files.read_json(folder / CAPTIONS)
    if not isinstance(captions, dict) or len(captions) < 2:
        raise UserError(f'{folder / CAPTIONS}: should be {{"file": "caption", ...}}; correct it')
    names = sorted(captions)[: settings.prior_preservation_images]
    images = [photos.squared(photos.pixels(folder / name), size) for name in names]
    return PriorPreservationImages(np.stack(images), [str(captions[name]) for name in names])

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
from hw2.personalization import (
    clip_scores,
    custom_diffusion,
    multi_concept,
    photos,
    prior_preservation,
    tokens,
)
from hw2.personalization.clip_scores import Scorer
from hw2.personalization.multi_concept import Pair, SeedRun, TrainedAlone
from hw2.personalization.photos import Concept
from hw2.personalization.tokens import AddedToken
from hw2.runtime.errors import UserError
from hw2.stable_diffusion import load, sample
from hw2.training.resume import Resume
from hw2.training.session import Session

COLUMNS = (
    *("pair", "method", "seed", "prompt", "number", "first", "second", "text"),
    *("trained", "sampled", "bytes"),
)
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
    personalization_embeddings: Path,
    multi_concept_table: Path,
    multi_concept_images: Path,
    multi_concept_weights: Path,
    checkpoints: Path,
    device: torch.device,
) -> None:
    """Write the table, the images and the weights of the comparison of multi-concept methods.

    multi_concept_table: a row for each pair, method, seed, prompt and image, with the image scores
        of both concepts, the text score, and the cost of the method with that seed: `trained`,
        images that passed the U-Net in training (forward and backward, after textual inversion),
        `sampled`, images that passed it while sampling, and `bytes` stored. Run times differ from
        run to run, so they are logged only. Method `photographs` is composites of the photographs,
        for pairs of objects.
    multi_concept_images: arrays `{pair}/{method}` uint8 (seeds, prompts, N, S, S, 3), and
        `{pair}/prompts`, the prompts with tokens.
    multi_concept_weights: `{pair}/{method}/*.safetensors`, what the training of the first seed
        stores.
    """
    settings = personalization.multi_concept
    if not settings.seeds:
        files.write_table(multi_concept_table, [], COLUMNS)
        files.save_arrays(multi_concept_images)
        with atomic_dir(multi_concept_weights):
            pass
        return
    located = weights.locate(personalization.clip, clip_model)
    pipe = load.load(stable_diffusion, stable_diffusion_model, device, trainable=True)
    sample.use_sampler(pipe, personalization.sampling.sampler)
    specs = {spec.key: spec for spec in personalization.concepts}
    keys = dict.fromkeys(key for pair in settings.pairs for key in pair.keys)
    concepts = {key: photos.read(personalization_concepts, specs[key]) for key in keys}
    learned = _learned(personalization_embeddings, [specs[key] for key in keys])
    identity = {
        "personalization": personalization.model_dump(
            mode="json", include=set(_IDENTITY), exclude={"train": {"save_every"}}
        ),
        "model": load.digest(pipe),
        "learned": {key: tokens.digest(rows) for key, rows in learned.items()},
    }
    added = {key: tokens.add(pipe, specs[key].token, rows) for key, rows in learned.items()}
    pairs = [_pair(pair, concepts, added, learned) for pair in settings.pairs]
    scorer = Scorer(clip_models.load(located, device))
    images = prior_preservation.obtain(pipe, personalization, shapes, list(concepts.values()))
    with Session(checkpoints) as session:
        state = _measured(
            lambda pair, seed, alone: SeedRun(
                pipe, pair, personalization, images,
                checkpoints / "trainings", identity, seed, alone,
            ),
            pairs,
            settings,
            session.resume(identity, "table"),
        )  # fmt: skip
        rows: list[dict[str, Any]] = []
        shown: dict[str, np.ndarray] = {}
        for pair in pairs:
            units = [unit for unit in state["units"] if unit["pair"] == pair.name]
            rows += _rows(units, pair, scorer)
            if not pair.has_style:
                rows += _photographs(pair, scorer, load.image_size(pipe))
            shown |= _shown(units, pair, settings)
        with atomic_dir(multi_concept_weights) as folder:
            for unit in state["units"]:
                if unit["seed"] == settings.seeds[0] and unit["rows"]:
                    pair = next(pair for pair in pairs if pair.name == unit["pair"])
                    _store(folder / pair.name / unit["method"], unit, pair)
        files.save_arrays(multi_concept_images, **shown)
        files.write_table(multi_concept_table, rows, COLUMNS)


def _pair(
    settings: params.ConceptPair,
    concepts: dict[str, Concept],
    added: dict[str, AddedToken],
    learned: dict[str, torch.Tensor],
) -> Pair:
    first, second = settings.keys
    return Pair(
        settings.name,
        (concepts[first], concepts[second]),
        (added[first], added[second]),
        settings.prompts,
        (learned[first], learned[second]),
    )


def _learned(folder: Path, specs: list[params.Concept]) -> dict[str, torch.Tensor]:
    """The embeddings of concepts by key.

    Raises:
        UserError: if the folder lacks one.
    """
    rows = tokens.read_folder(folder)
    for spec in specs:
        if spec.token not in rows:
            raise UserError(f"{folder}: no {spec.token}; run `dvc repro personalization_train`")
    return {spec.key: rows[spec.token] for spec in specs}


def _measured(
    run_with: Any, pairs: list[Pair], settings: params.MultiConcept, resume: Resume
) -> multi_concept.State:
    """Run every method with every seed and pair, in turn; an interruption loses at most one."""
    resumed = resume.load_latest()
    state: multi_concept.State = resumed[1] if resumed else {"units": []}
    work = [
        (seed, pair, method)
        for seed in settings.seeds
        for pair in pairs
        for method in settings.methods
    ]
    alone: dict[int, dict[str, TrainedAlone]] = {}
    for seed, pair, method in work[len(state["units"]) :]:
        if seed not in alone:
            alone = {seed: {}}  # those of the seed before are not needed any more
        seed_run = run_with(pair, seed, alone[seed])
        started = time.monotonic()
        images, costs = multi_concept.measure(seed_run, method)
        log.info("%s, %s, seed %d: %.1f s", pair.name, method, seed, time.monotonic() - started)
        unit = {"pair": pair.name, "seed": seed, "method": method}
        state["units"].append(unit | {"images": torch.from_numpy(images), **costs})
        resume.save(len(state["units"]), state)
    return state


def _rows(units: list[Any], pair: Pair, scorer: Scorer) -> list[dict[str, Any]]:
    first, second = (scorer.features(c.images) for c in pair.concepts)
    words = [c.spec.initializer for c in pair.concepts]
    rows = []
    for unit in units:
        size = sum(t.numel() * 4 for t in [*unit["rows"], *unit["deltas"].values()])
        for index, images in enumerate(unit["images"].numpy()):
            image = clip_scores.pair_image_scores(
                scorer, list(images), first, second, has_style=pair.has_style
            )
            text = scorer.text(list(images), pair.prompts[index].format(*words))
            for number in range(len(images)):
                rows.append(
                    {
                        "pair": pair.name, "method": unit["method"], "seed": unit["seed"],
                        "prompt": index, "number": number, "first": image[number, 0],
                        "second": image[number, 1], "text": text[number],
                        "trained": unit["trained"], "sampled": unit["sampled"], "bytes": size,
                    }
                )  # fmt: skip
    return rows


def _photographs(pair: Pair, scorer: Scorer, size: int) -> list[dict[str, Any]]:
    """Scores of pairs of photographs side by side, the reference for what a method can reach."""
    left, right = pair.concepts
    first, second = (scorer.features(c.images) for c in pair.concepts)
    composites = [
        photos.composite(left, right, (i, j), size)
        for i in range(len(left.images))
        for j in range(len(right.images))
    ]
    scores = clip_scores.pair_image_scores(scorer, composites, first, second)
    return [
        {
            "pair": pair.name, "method": "photographs", "seed": 0, "prompt": 0, "number": k,
            "first": a, "second": b, "text": None, "trained": 0, "sampled": 0, "bytes": 0,
        }
        for k, (a, b) in enumerate(scores)
    ]  # fmt: skip


def _store(folder: Path, unit: Any, pair: Pair) -> None:
    folder.mkdir(parents=True)
    for concept, rows in zip(pair.concepts, unit["rows"], strict=True):
        tokens.save(folder / f"{concept.spec.key}.safetensors", concept.spec.token, rows)
    if unit["deltas"]:
        custom_diffusion.save(folder / "keys_and_values.safetensors", unit["deltas"])


def _shown(units: list[Any], pair: Pair, settings: params.MultiConcept) -> dict[str, np.ndarray]:
    """The arrays of a pair: its images by method, all seeds, and its prompts."""
    words = [concept.spec.token for concept in pair.concepts]
    prompts = np.array([prompt.format(*words) for prompt in pair.prompts])
    return {f"{pair.name}/prompts": prompts} | {
        f"{pair.name}/{method}": np.stack(
            [_small(unit["images"]) for unit in units if unit["method"] == method]
        )
        for method in settings.methods
    }


def _small(images: torch.Tensor) -> np.ndarray:
    """Images uint8 (prompts, N, S, S, 3), reduced to at most `_MAX_SIDE` pixels a side."""
    side = min(_MAX_SIDE, images.shape[2])
    flat = images.flatten(0, 1).numpy()
    small = np.stack([photos.squared(image, side) for image in flat])
    return small.reshape(*images.shape[:2], *small.shape[1:])

"""Score the small Stable Diffusion, the learned concepts and the methods for two concepts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hw2.clip import model as clip_models
from hw2.clip import weights
from hw2.config import params
from hw2.evaluation.intervals import proportion
from hw2.evaluation.means import mean
from hw2.evaluation.paired_difference import paired_gain
from hw2.io import files
from hw2.models.shape_classifier import ConceptJudge
from hw2.personalization import (
    concept_judge,
    graded_images,
    grading,
    photos,
    prompt_specs,
    synthetic,
)
from hw2.personalization.clip_scores import Scorer
from hw2.personalization.grading import Case
from hw2.personalization.prompt_specs import PromptSpec
from hw2.personalization.shape_judges import load as load_judges
from hw2.stable_diffusion import alignment, autoencoder, load, sample

_JUDGE_TEST_RENDERINGS = 1000
_PHOTOGRAPHS = 100  # of each concept and pair, which bound what the judge can recognize
_SHOWN = 5  # images of each prompt that figures show
_MAX_SIDE = 256  # of these images, in pixels
Record = dict[str, Any]


def run(
    stable_diffusion: params.StableDiffusion,
    personalization: params.Personalization,
    shapes: params.Shapes,
    *,
    stable_diffusion_model: Path,
    clip_model: Path,
    personalization_concepts: Path,
    personalization_prompts: Path,
    personalization_images: Path,
    personalization_initializers: Path,
    multi_concept_table: Path,
    multi_concept_images: Path,
    shape_judges: Path,
    personalization_samples: Path,
    personalization_details: Path,
    device: torch.device,
) -> None:
    """Write the metrics and the images that figures show.

    personalization_details: `stable_diffusion` (prompt alignment of the small model, judged by a
        classifier), `judge` (accuracy of the classifier of concepts, and its ceiling), `concepts`
        (scores of each concept, the share of images in which that classifier recognizes it, and
        their gains over its initializer with the same noises), `grades` (by the course's rule), and
        `multi_concept` (scores and costs of the methods for two concepts).
    personalization_samples: arrays of images uint8 that figures show.
    """
    located = weights.locate(personalization.clip, clip_model)
    scorer = Scorer(clip_models.load(located, device))
    specs = prompt_specs.read(personalization_prompts)
    cases = grading.grade(specs, personalization_concepts, personalization_images, scorer)
    record: Record = {"grades": _grades(cases)}
    shown: dict[str, np.ndarray] = {}
    judge = None
    if personalization.photographs == "synthetic":  # the model knows colors and shapes
        pipe = load.load(stable_diffusion, stable_diffusion_model, device)
        sample.use_sampler(pipe, personalization.sampling.sampler)
        judges = load_judges(shape_judges)
        judge = judges.concept
        record["judge"] = _of_judge(judge, pipe, personalization, shapes)
        shares, images = alignment.measure(
            pipe,
            judges.shape,
            shapes,
            personalization.sampling,
            personalization.alignment,
            seed=personalization.seed,
        )
        record["stable_diffusion"] = {
            name: share.named("alignment") for name, share in shares.items()
        }
        shown["alignment"] = images[:, 0]
    record["concepts"] = {
        spec.key: _concept(
            spec,
            personalization,
            scorer,
            judge,
            personalization_concepts,
            (personalization_images, personalization_initializers),
            cases,
            shown,
        )
        for spec in specs
    }
    rows = files.read_table(multi_concept_table)
    record["multi_concept"] = _multi_concept(rows) if rows else {}
    if rows and judge is not None:
        arrays = files.load_arrays(multi_concept_images)
        for pair in personalization.multi_concept.pairs:
            _add_recognized(record["multi_concept"][pair.name], pair, judge, arrays)
    files.save_arrays(personalization_samples, **shown)
    files.write_metrics(personalization_details, record)


def _grades(cases: Sequence[Case]) -> Record:
    record: Record = {"passed": sum(case.passed for case in cases), "cases": len(cases)}
    for case in cases:
        image, text = case.scores
        record[f"{case.key}/{case.prompt}"] = {
            "image": image,
            "text": text,
            "baseline_image": case.baseline[0],
            "baseline_text": case.baseline[1],
            "passed": int(case.passed),
        }
    return record


def _of_judge(
    judge: ConceptJudge, pipe: Any, personalization: params.Personalization, shapes: params.Shapes
) -> Record:
    """The accuracy of the classifier of concepts on renderings that it has not seen.

    By concept: `recall`, of renderings that show it, and `specificity`, of those that do not. By
    concept and by pair: `photographs`, the share of held-out photographs that it recognizes, and
    `reconstructed`, of the same photographs through the model's autoencoder. No generated image can
    be expected to be recognized more often than those.
    """
    size, seed = shapes.image_size, shapes.seed
    unseen = concept_judge.renderings("test", _JUDGE_TEST_RENDERINGS, size, seed)
    correct = concept_judge.shown_in(judge, unseen.images) == unseen.shown
    record: Record = {}
    for column, key in enumerate(synthetic.KEYS):
        shown = unseen.shown[:, column]
        record[key] = {
            "recall": proportion(correct[shown, column]).named("recall"),
            "specificity": proportion(correct[~shown, column]).named("specificity"),
        }
    pairs = {pair.name: pair.keys for pair in personalization.multi_concept.pairs}
    for name, keys in ({key: (key,) for key in synthetic.KEYS} | pairs).items():
        columns = [synthetic.KEYS.index(key) for key in keys]
        photographs = concept_judge.photographs(keys, _PHOTOGRAPHS, size, seed)
        for kind, images in (
            ("photographs", photographs),
            ("reconstructed", autoencoder.reconstructed(pipe.vae, photographs)),
        ):
            shown_all = np.all(concept_judge.shown_in(judge, images)[:, columns], 1)
            record.setdefault(name, {})[kind] = proportion(shown_all).named("share")
    return record


def _concept(
    spec: PromptSpec, personalization: params.Personalization, scorer: Scorer,
    judge: ConceptJudge | None, concepts: Path, images: tuple[Path, Path], cases: Sequence[Case],
    shown: dict[str, np.ndarray],
) -> Record:  # fmt: skip
    """Scores of all images of every prompt, and gains over the prompt with the initializer.

    `recognized` and `word_recognized` are the shares of images with the token and with the
    initializer in which the judge sees the concept. `images` are the folders of both.
    """
    concept = next(c for c in personalization.concepts if c.token == spec.token)
    references = scorer.features(photos.read(concepts, concept).images)
    spec_cases = [case for case in cases if case.key == spec.key]
    base: list[tuple[np.ndarray, np.ndarray]] = []
    recognized: list[np.ndarray] = []
    word_recognized: list[np.ndarray] = []
    for index, eval_prompt in enumerate(spec.eval_prompts):
        learned, of_word = (graded_images.read(folder, spec.key, index) for folder in images)
        base.append(scorer.image_and_text(list(of_word), references, eval_prompt))
        shown[f"{spec.key}_word_{index}"] = _small(of_word[:_SHOWN])
        shown[f"{spec.key}_learned_{index}"] = _small(learned[:_SHOWN])
        if judge is not None:
            column = synthetic.KEYS.index(spec.key)
            for found, drawn in ((recognized, learned), (word_recognized, of_word)):
                found.append(concept_judge.shown_in(judge, drawn)[:, column])
    shown |= {
        f"{spec.key}_prompts": np.array(spec.prompts),
        f"{spec.key}_token": np.array(spec.token),
        f"{spec.key}_word": np.array(concept.initializer),
    }
    record: Record = {"prompts": len(spec_cases)}
    if judge is not None:
        record["recognized"] = proportion(np.concatenate(recognized)).named("share")
        record["word_recognized"] = proportion(np.concatenate(word_recognized)).named("share")
    for k, name in enumerate(("image", "text")):
        learned_scores = np.concatenate([(case.image, case.text)[k] for case in spec_cases])
        word_scores = np.concatenate([pair[k] for pair in base])
        gain = paired_gain(learned_scores[None], word_scores[None])
        record |= {
            **mean(learned_scores).named(name),
            **mean(word_scores).named(f"word_{name}"),
            **gain.named(f"{name}_gain"),
        }
    return record


def _small(images: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    return np.stack([photos.squared(image, min(_MAX_SIDE, len(image))) for image in images])


def _multi_concept(rows: list[dict[str, Any]]) -> Record:
    """By pair and method: means over images, with intervals over seeds and images, and the cost.

    `position` is the order of the pairs and of their methods in the table.
    """
    record: Record = {}
    methods = dict.fromkeys((str(row["pair"]), str(row["method"])) for row in rows)
    for position, (pair, method) in enumerate(methods):
        of_pair = [row for row in rows if str(row["pair"]) == pair]
        of_method = [row for row in of_pair if row["method"] == method]
        by_seed = {
            row["seed"]: [r for r in of_method if r["seed"] == row["seed"]] for row in of_method
        }
        scores: Record = {"position": position, "seeds": len(by_seed)}
        values = _values(by_seed)
        scores |= {name: float(values[name].mean()) for name in ("first", "second")}
        for name in ("mean", "lesser", "text"):
            if method != "photographs" or name != "text":
                scores |= paired_gain(values[name], np.zeros_like(values[name])).named(name)
        base = _of(of_pair, "separate", "lesser")
        if base is not None and base.shape == values["lesser"].shape and method != "separate":
            scores |= paired_gain(values["lesser"], base).named("lesser_gain")
        scores |= {name: of_method[0][name] for name in ("trained", "sampled", "bytes")}
        record.setdefault(pair, {})[method] = scores
    return record


def _add_recognized(
    record: Record, pair: params.ConceptPair, judge: ConceptJudge, images: Mapping[str, np.ndarray]
) -> None:
    """Add the share of images in which the judge sees both concepts, and its gain over `separate`.

    Args:
        record: The metrics of the pair by method, which are extended.
        pair: The pair.
        judge: The classifier of concepts.
        images: Arrays `{pair}/{method}` uint8 (seeds, prompts, N, S, S, 3).
    """
    columns = [synthetic.KEYS.index(key) for key in pair.keys]
    both = {}
    for method in record:
        drawn = images.get(f"{pair.name}/{method}")
        if drawn is not None:
            shown = concept_judge.shown_in(judge, drawn.reshape(-1, *drawn.shape[3:]))
            both[method] = shown[:, columns].all(1).reshape(len(drawn), -1)
    for method, recognized in both.items():
        record[method]["recognized"] = proportion(recognized.ravel()).named("share")
        if "separate" in both and method != "separate":
            gain = paired_gain(recognized, both["separate"])
            record[method]["recognized"] |= gain.named("gain") | {"n": recognized.size}


def _of(rows: list[dict[str, Any]], method: str, name: str) -> np.ndarray | None:
    of_method = [row for row in rows if row["method"] == method]
    by_seed = {row["seed"]: [r for r in of_method if r["seed"] == row["seed"]] for row in of_method}
    return _values(by_seed)[name] if of_method else None


def _values(by_seed: dict[Any, list[dict[str, Any]]]) -> dict[str, np.ndarray]:
    """Scores float (seeds, images): of both concepts, their mean and minimum, and of the text."""
    first, second, text = (
        np.array([[float(row[key] or 0) for row in unit] for unit in by_seed.values()])
        for key in ("first", "second", "text")
    )
    return {
        "first": first,
        "second": second,
        "mean": (first + second) / 2,
        "lesser": np.minimum(first, second),
        "text": text,
    }

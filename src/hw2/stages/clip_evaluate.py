"""Classify the zero-shot test images with every model and every prompt set, without training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps

from hw2 import rng
from hw2.clip import images, model, prompts, weights
from hw2.clip.classify import TOP, Predictions, classify
from hw2.clip.feature_cache import Cache
from hw2.clip.features import Encoder, precision
from hw2.clip.images import LabelledImages
from hw2.config import params
from hw2.evaluation.intervals import proportion
from hw2.evaluation.mcnemar import mcnemar
from hw2.evaluation.paired_difference import paired_gain
from hw2.io import files

CODE = "hw2.clip.features"
EXAMPLES = 5  # of correct predictions, and as many of incorrect ones
PREDICTIONS = (
    *("model", "prompts", "image", "true", "right"),
    *(f"{kind}{k}" for k in range(1, TOP + 1) for kind in ("class", "confidence")),
)
CLASSES = (
    *("model", "class", "accuracy", "accuracy_low", "accuracy_high", "n"),
    *("taken_for", "times"),
)
_SIDE = 224  # largest side of an example in pixels
Record = dict[str, Any]


def run(
    clip: params.Clip,
    *,
    clip_test_set: Path,
    clip_model: Path,
    clip_feature_cache: Path,
    clip_predictions: Path,
    clip_classes: Path,
    clip_examples: Path,
    clip_metrics: Path,
    device: torch.device,
) -> None:
    """Write the predictions, the results by class, the examples and the metrics.

    clip_predictions: a row for each model and image, with the prompt set `report_prompts`.
    clip_classes: a row for each model and class, with the same prompts: the accuracy, and the class
        that is most often predicted instead.
    clip_examples: pixels of some images that the first model classifies correctly and incorrectly.
    clip_metrics: model -> prompt set -> acc1, acc5, recall, n, gain over the first set, and more.

    Without models all four are empty.
    """
    zero_shot = clip.zero_shot
    if not zero_shot.models:
        files.write_table(clip_predictions, [], PREDICTIONS)
        files.write_table(clip_classes, [], CLASSES)
        files.save_arrays(clip_examples)
        files.write_metrics(clip_metrics, {})
        return
    sets = prompts.chosen(zero_shot.prompts, zero_shot.custom_prompts)
    with images.opened(clip_test_set) as result:
        answer = {
            spec.name: _classified(
                model.load(weights.locate(spec, clip_model), device),
                zero_shot,
                sets,
                result,
                clip_feature_cache,
            )
            for spec in zero_shot.models
        }
        shown = {name: by_set[zero_shot.report_prompts] for name, by_set in answer.items()}
        rows = [
            row
            for name, p in shown.items()
            for row in _rows(name, p, result, zero_shot.report_prompts)
        ]
        by_class = [row for name, p in shown.items() for row in _class_rows(name, p, result)]
        first = shown[zero_shot.models[0].name]
        _save_examples(clip_examples, first, result, zero_shot.seed)
        record = {
            name: _record(by_set, next(iter(answer.values())), sets, result)
            for name, by_set in answer.items()
        }
    files.write_table(clip_predictions, rows, PREDICTIONS)
    files.write_table(clip_classes, by_class, CLASSES)
    files.write_metrics(clip_metrics, record)


def _classified(
    clip: model.Clip,
    zero_shot: params.ZeroShot,
    sets: Mapping[str, tuple[str, ...]],
    result: LabelledImages,
    cache: Path,
) -> dict[str, Predictions]:
    """Predictions of a model, by prompt set."""
    kind = precision(zero_shot.precision, clip.device)
    encoder = Encoder(clip, Cache(cache, CODE), kind, zero_shot.batch_size)
    seen = encoder.images(result)
    return {
        name: classify(seen, encoder.classes(result.classes, templates), result.labels, clip.scale)
        for name, templates in sets.items()
    }


def _rows(name: str, answer: Predictions, result: LabelledImages, prompt_set: str) -> list[Record]:
    """The rows of one model in the table of predictions, one for each image."""
    rows = []
    for position, file in enumerate(result.files):
        row: Record = {
            "model": name,
            "prompts": prompt_set,
            "image": file,
            "true": result.classes[answer.labels[position]],
            "right": bool(answer.right[position]),
        }
        for k in range(TOP):
            there = k < answer.top.shape[1]
            row[f"class{k + 1}"] = result.classes[answer.top[position, k]] if there else None
            row[f"confidence{k + 1}"] = float(answer.confidence[position, k]) if there else None
        rows.append(row)
    return rows


def _class_rows(name: str, answer: Predictions, result: LabelledImages) -> list[Record]:
    rows = []
    for label in np.unique(answer.labels):
        mine = answer.labels == label
        taken = np.bincount(answer.top[mine & ~answer.right, 0], minlength=1)
        commonest = int(taken.argmax())
        row: Record = {"model": name, "class": result.classes[label]}
        row |= proportion(answer.right[mine]).named("accuracy")
        row["taken_for"] = result.classes[commonest] if taken[commonest] else None
        row["times"] = int(taken[commonest])
        rows.append(row)
    return rows


def _record(
    by_set: Mapping[str, Predictions],
    by_set_of_first: Mapping[str, Predictions],
    sets: Mapping[str, tuple[str, ...]],
    result: LabelledImages,
) -> Record:
    """The metrics of one model, by prompt set.

    `gain` and `p` compare with the first prompt set of the same model, `model_gain` and `model_p`
    with the first model and the same prompts. A comparison with itself gives 0 and 1.
    """
    base = next(iter(by_set.values()))
    record = {}
    for position, (name, answer) in enumerate(by_set.items()):
        row: Record = {"place": position, "prompts": len(sets[name])}
        row |= proportion(answer.right).named("acc1")
        row |= {k: v for k, v in proportion(answer.right5).named("acc5").items() if k != "n"}
        row["recall"] = float(answer.recalls().mean())
        for prefix, other in (("", base), ("model_", by_set_of_first[name])):
            gain = paired_gain(answer.right[None], other.right[None])
            row |= {f"{prefix}{k}": v for k, v in gain.named("gain").items() if k != "n"}
            row[f"{prefix}p"] = mcnemar(answer.right, other.right)
        row["groups"] = {
            group: proportion(answer.right[inside]).named("acc1")
            for group, inside in result.groups.items()
        }
        record[name] = row
    return record


def _save_examples(path: Path, answer: Predictions, result: LabelledImages, seed: int) -> None:
    """Save examples that are drawn at random, from different classes as far as possible."""
    order = rng.numpy_rng(seed, "examples").permutation(len(result))
    chosen = [
        row
        for right in (True, False)
        for row in _different([k for k in order if answer.right[k] == right], answer.labels)
    ]
    pixels = result.read(chosen)
    side = min(_SIDE, max((max(image.shape[:2]) for image in pixels), default=1))
    files.save_arrays(
        path,
        images=np.stack([_fitted(image, side) for image in pixels]),
        files=np.array([result.files[row] for row in chosen]),
    )


def _different(rows: list[int], labels: np.ndarray) -> list[int]:
    """The first `EXAMPLES` rows of different classes; other rows follow if there are fewer."""
    firsts = {labels[row]: row for row in reversed(rows)}.values()
    kept = [row for row in rows if row in set(firsts)]
    return [*kept, *(row for row in rows if row not in set(kept))][:EXAMPLES]


def _fitted(image: np.ndarray, side: int) -> np.ndarray:
    """The image scaled to uint8 (side, side, 3), with white borders if it is not square."""
    if image.shape[:2] == (side, side):
        return image
    fitted = ImageOps.pad(Image.fromarray(image), (side, side), color="white")
    return np.asarray(fitted)

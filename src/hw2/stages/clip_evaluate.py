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
from hw2.clip.images import LabeledImages
from hw2.config import params
from hw2.evaluation import outcomes
from hw2.evaluation.intervals import proportion
from hw2.evaluation.mcnemar import mcnemar
from hw2.evaluation.paired_difference import paired_gain
from hw2.io import files

CODE = "hw2.clip.features"
EXAMPLES = 5  # of correct predictions, and as many of incorrect ones
PREDICTIONS = (
    *("model", "prompts", "image", "true", "correct"),
    *(f"{kind}{k}" for k in range(1, TOP + 1) for kind in ("class", "confidence")),
)
CLASSES = (
    *("model", "class", "accuracy", "accuracy_low", "accuracy_high", "n"),
    *("confused_with", "confusions"),
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
    clip_details: Path,
    device: torch.device,
) -> None:
    """Write the predictions, the results by class, the examples and the metrics.

    clip_predictions: a row for each model and image, with the prompt set `report_prompts`. Has the
        columns `true_NAME` and `predicted_NAME` for each attribute NAME of the test set's classes.
    clip_classes: a row for each model and class, with the same prompts: the accuracy, and the class
        that is most often predicted instead.
    clip_examples: pixels of some images that the first model classifies correctly and incorrectly.
    clip_details: model -> prompt set -> acc1, acc5, recall, n, gain over the first set, outcomes
        of the images, and more.

    Without models all four are empty.
    """
    zero_shot = clip.zero_shot
    if not zero_shot.models:
        files.write_table(clip_predictions, [], PREDICTIONS)
        files.write_table(clip_classes, [], CLASSES)
        files.save_arrays(clip_examples)
        files.write_metrics(clip_details, {})
        return
    sets = prompts.select(zero_shot.prompts, zero_shot.custom_prompts)
    with images.opened(clip_test_set) as test_set:
        predictions = {
            spec.name: _classified(
                model.load(weights.locate(spec, clip_model), device),
                zero_shot,
                sets,
                test_set,
                clip_feature_cache,
            )
            for spec in zero_shot.models
        }
        shown = {name: by_set[zero_shot.report_prompts] for name, by_set in predictions.items()}
        rows = [
            row
            for name, p in shown.items()
            for row in _rows(name, p, test_set, zero_shot.report_prompts)
        ]
        by_class = [row for name, p in shown.items() for row in _class_rows(name, p, test_set)]
        columns = (*PREDICTIONS, *_attribute_columns(test_set))
        first = shown[zero_shot.models[0].name]
        _save_examples(clip_examples, first, test_set, zero_shot.seed)
        record = {
            name: _record(by_set, next(iter(predictions.values())), sets, test_set)
            for name, by_set in predictions.items()
        }
    files.write_table(clip_predictions, rows, columns)
    files.write_table(clip_classes, by_class, CLASSES)
    files.write_metrics(clip_details, record)


def _classified(
    clip: model.Clip,
    zero_shot: params.ZeroShot,
    sets: Mapping[str, tuple[str, ...]],
    test_set: LabeledImages,
    cache: Path,
) -> dict[str, Predictions]:
    """Predictions of a model, by prompt set."""
    kind = precision(zero_shot.precision, clip.device)
    encoder = Encoder(clip, Cache(cache, CODE), kind, zero_shot.batch_size)
    features = encoder.images(test_set)
    return {
        name: classify(
            features, encoder.classes(test_set.classes, templates), test_set.labels, clip.scale
        )
        for name, templates in sets.items()
    }


def _rows(
    name: str, predictions: Predictions, test_set: LabeledImages, prompt_set: str
) -> list[Record]:
    """The rows of one model in the table of predictions, one for each image."""
    rows = []
    for index, file in enumerate(test_set.files):
        row: Record = {
            "model": name,
            "prompts": prompt_set,
            "image": file,
            "true": test_set.classes[predictions.labels[index]],
            "correct": bool(predictions.correct[index]),
        }
        for k in range(TOP):
            exists = k < predictions.top.shape[1]
            row[f"class{k + 1}"] = test_set.classes[predictions.top[index, k]] if exists else None
            row[f"confidence{k + 1}"] = float(predictions.confidence[index, k]) if exists else None
        for attribute, values in test_set.attributes.items():
            row[f"true_{attribute}"] = values[predictions.labels[index]]
            row[f"predicted_{attribute}"] = values[predictions.top[index, 0]]
        rows.append(row)
    return rows


def _attribute_columns(test_set: LabeledImages) -> tuple[str, ...]:
    return tuple(f"{kind}_{name}" for name in test_set.attributes for kind in ("true", "predicted"))


def _class_rows(name: str, predictions: Predictions, test_set: LabeledImages) -> list[Record]:
    rows = []
    for label in np.unique(predictions.labels):
        in_class = predictions.labels == label
        counts = np.bincount(predictions.top[in_class & ~predictions.correct, 0], minlength=1)
        most_frequent = int(counts.argmax())
        row: Record = {"model": name, "class": test_set.classes[label]}
        row |= proportion(predictions.correct[in_class]).named("accuracy")
        row["confused_with"] = test_set.classes[most_frequent] if counts[most_frequent] else None
        row["confusions"] = int(counts[most_frequent])
        rows.append(row)
    return rows


def _record(
    by_set: Mapping[str, Predictions],
    by_set_of_first: Mapping[str, Predictions],
    sets: Mapping[str, tuple[str, ...]],
    test_set: LabeledImages,
) -> Record:
    """The metrics of one model, by prompt set.

    `gain` and `p` compare with the first prompt set of the same model, `model_gain` and `model_p`
    with the first model and the same prompts. A comparison with itself gives 0 and 1.
    """
    first_set = next(iter(by_set.values()))
    record = {}
    for position, (name, predictions) in enumerate(by_set.items()):
        row: Record = {"position": position, "prompts": len(sets[name])}
        row |= proportion(predictions.correct).named("acc1")
        row |= outcomes.encoded(predictions.correct, test_set.digest)
        row |= {
            k: v for k, v in proportion(predictions.correct_top5).named("acc5").items() if k != "n"
        }
        row["recall"] = float(predictions.recalls().mean())
        for prefix, other in (("", first_set), ("model_", by_set_of_first[name])):
            gain = paired_gain(predictions.correct[None], other.correct[None])
            row |= {f"{prefix}{k}": v for k, v in gain.named("gain").items() if k != "n"}
            row[f"{prefix}p"] = mcnemar(predictions.correct, other.correct)
        row["groups"] = {
            group: proportion(predictions.correct[in_group]).named("acc1")
            for group, in_group in test_set.groups.items()
        }
        record[name] = row
    return record


def _save_examples(
    path: Path, predictions: Predictions, test_set: LabeledImages, seed: int
) -> None:
    """Save examples, sampled at random, from different classes as far as possible."""
    order = rng.numpy_rng(seed, "examples").permutation(len(test_set))
    chosen = [
        row
        for correct in (True, False)
        for row in _different(
            [k for k in order if predictions.correct[k] == correct], predictions.labels
        )
    ]
    pixels = test_set.read(chosen)
    side = min(_SIDE, max((max(image.shape[:2]) for image in pixels), default=1))
    files.save_arrays(
        path,
        images=np.stack([_padded(image, side) for image in pixels]),
        files=np.array([test_set.files[row] for row in chosen]),
    )


def _different(rows: list[int], labels: np.ndarray) -> list[int]:
    """The first `EXAMPLES` rows of different classes; other rows follow if there are fewer."""
    first_of_class = set({labels[row]: row for row in reversed(rows)}.values())
    distinct = [row for row in rows if row in first_of_class]
    return [*distinct, *(row for row in rows if row not in first_of_class)][:EXAMPLES]


def _padded(image: np.ndarray, side: int) -> np.ndarray:
    """The image scaled to uint8 (side, side, 3), with white borders if it is not square."""
    if image.shape[:2] == (side, side):
        return image
    padded = ImageOps.pad(Image.fromarray(image), (side, side), color="white")
    return np.asarray(padded)

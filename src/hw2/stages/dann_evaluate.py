"""Measure every domain adaptation method on the test split of the target.

Apart from the method `target_only`, only this stage and `dann_tsne` read target labels.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hw2.config import params
from hw2.dann import classifier, trainings
from hw2.dann.classifier import Trained
from hw2.dann.pairs import Pair
from hw2.digits import arrays
from hw2.digits.labels import NUM_DIGITS
from hw2.evaluation import outcomes, several_trainings
from hw2.evaluation.domain_distance import (
    mean_entropy,
    proxy_a_distance,
    soft_neighbourhood_density,
)
from hw2.evaluation.paired_difference import paired_gain
from hw2.io import files
from hw2.runtime.progress import progress

BASE = "source_only"
Record = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """The measurements of one training.

    Attributes:
        right: Which test images of the target are classified correctly, bool (N,).
        more: Other numbers by name.
    """

    right: np.ndarray
    more: Record


def run(
    dann: params.Dann,
    *,
    digits_arrays: Path,
    dann_models: Path,
    dann_details: Path,
    device: torch.device,
) -> None:
    """Write `dann_details`: pair -> method -> accuracy, spread, gain over source_only, and more.

    Each row also says what its trainings read (`trainings.described`).
    """
    record: Record = {}
    total = len(dann.pairs) * len(dann.methods) * len(dann.seeds)
    with progress(total, "evaluate", unit="model") as bar:
        for name in dann.pairs:
            pair = Pair.parse(name)
            test_images = _TestImages(digits_arrays, pair)
            measurements: dict[str, list[Measured]] = {method: [] for method in dann.methods}
            for method in dann.methods:
                for seed in dann.seeds:
                    slug = trainings.of(pair, method, seed).slug
                    trained = classifier.load(dann_models / f"{slug}.safetensors", device)
                    measurements[method].append(test_images.measure(trained, seed))
                    bar.update()
            rows = _rows(measurements, dann.seeds, test_images)
            record[name] = {
                method: trainings.described(pair, method, dann.train.batch_size) | row
                for method, row in rows.items()
            }
    files.write_metrics(dann_details, record)


class _TestImages:
    """The images of a pair that its models are measured on."""

    def __init__(self, digits_arrays: Path, pair: Pair) -> None:
        self.pair = pair
        test = arrays.load(digits_arrays, pair.target, "test")
        self.images, self.digits = test.rgb, test.digits
        self.source = arrays.load(digits_arrays, pair.source, "test")
        self.chosen_source = arrays.load(digits_arrays, pair.source, "val")
        self.chosen_target = arrays.load_images(digits_arrays, pair.target, "val")

    def measure(self, trained: Trained, seed: int) -> Measured:
        """Measure one model.

        Target labels are used for `right` only; all other numbers do without them.
        """
        source, target = self.pair.domains
        features, logits = trained.outputs(self.images, target)
        source_features, source_logits = trained.outputs(self.source.rgb, source)
        _, unlabeled = trained.outputs(self.chosen_target, target)
        chosen = trained.predict(self.chosen_source.rgb, source)
        more = {
            "source_accuracy": float(np.mean(source_logits.argmax(1) == self.source.digits)),
            "a_distance": proxy_a_distance(source_features, features, seed),
            "val_source_accuracy": float(np.mean(chosen == self.chosen_source.digits)),
            "val_target_entropy": mean_entropy(unlabeled),
            "val_target_density": soft_neighbourhood_density(unlabeled),
        }
        return Measured(logits.argmax(1) == self.digits, more)


def _rows(
    measurements: dict[str, list[Measured]], seeds: tuple[int, ...], test: _TestImages
) -> dict[str, Record]:
    right = {method: np.stack([m.right for m in all_]) for method, all_ in measurements.items()}
    rows = {}
    for method, measured in measurements.items():
        row = _accuracy(right[method])
        row |= outcomes.encoded(right[method], test.images, test.digits)
        row["seeds"] = {
            str(seed): {"accuracy": float(m.right.mean())} | m.more
            for seed, m in zip(seeds, measured, strict=True)
        }
        for name in measured[0].more:
            row[name] = float(np.mean([m.more[name] for m in measured]))
        if method != BASE:
            row |= paired_gain(right[method], right[BASE]).named("gain")
        row["digits"] = {
            str(digit): float(right[method][:, test.digits == digit].mean())
            for digit in range(NUM_DIGITS)
            if (test.digits == digit).any()
        }
        rows[method] = row
    return rows


def _accuracy(right: np.ndarray) -> Record:
    """Summarize the correct predictions, bool (seeds, N), of all seeds.

    The result is the mean over seeds with its interval and, for at least two seeds, their standard
    deviation.
    """
    shares = right.mean(1)
    row: Record = several_trainings.accuracy(right).named("accuracy")
    row["trainings"] = len(shares)
    if len(shares) > 1:
        row["spread"] = float(shares.std(ddof=1))
    return row

"""Compute t-SNE of features of the test split, before and after adaptation."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from hw2 import rng
from hw2.config import params
from hw2.dann import classifier, trainings
from hw2.dann.pairs import Pair
from hw2.digits import arrays
from hw2.io import files
from hw2.runtime.progress import progress

COLUMNS = ("pair", "method", "domain", "digit", "x", "y")


def run(
    dann: params.Dann,
    *,
    digits_arrays: Path,
    dann_models: Path,
    dann_tsne: Path,
    device: torch.device,
) -> None:
    """Write a row for each image and method to `dann_tsne`: pair, method, domain, digit, x, y.

    Both methods are shown with the model of the first seed and the same images.
    """
    shown = list(dict.fromkeys(("source_only", dann.tsne.after)))
    rows: list[dict[str, Any]] = []
    with progress(len(dann.pairs) * len(shown), "t-SNE", unit="run") as bar:
        for name in dann.pairs:
            pair = Pair.parse(name)
            images = [_images(digits_arrays, domain, dann) for domain in pair.domains]
            for method in shown:
                training = trainings.of(pair, method, dann.seeds[0])
                trained = classifier.load(dann_models / f"{training.slug}.safetensors", device)
                features = [
                    trained.outputs(result.images, domain)[0]
                    for result, domain in zip(images, pair.domains, strict=True)
                ]
                seed = rng.derive(training.seed, "t-sne", name, method)
                coordinates = _embed(np.concatenate(features), dann.tsne.perplexity, seed)
                digits = np.concatenate([result.digits for result in images])
                domains = np.repeat(pair.domains, [len(result.digits) for result in images])
                for (x, y), digit, domain in zip(coordinates, digits, domains, strict=True):
                    rows.append(
                        {
                            **{"pair": name, "method": method, "domain": str(domain)},
                            **{"digit": int(digit), "x": float(x), "y": float(y)},
                        }
                    )
                bar.update()
    files.write_table(dann_tsne, rows, COLUMNS)


def _images(digits_arrays: Path, domain: str, dann: params.Dann) -> arrays.Digits:
    """Some images of the test split, the same for every method."""
    digits = arrays.load(digits_arrays, domain, "test")
    order = rng.numpy_rng(dann.seeds[0], "t-sne", domain).permutation(len(digits.digits))
    rows = np.sort(order[: dann.tsne.images])
    return arrays.Digits(digits.rgb[rows], digits.digits[rows])


def _embed(features: np.ndarray, perplexity: float, seed: int) -> np.ndarray:
    """Coordinates (N, 2) by t-SNE (van der Maaten & Hinton, 2008).

    They are rounded to keep the table small; a figure needs no more digits.
    """
    from sklearn.manifold import TSNE

    perplexity = min(perplexity, (len(features) - 1) / 3)
    method = TSNE(perplexity=perplexity, init="pca", random_state=seed % 2**32)
    return method.fit_transform(features).round(3)

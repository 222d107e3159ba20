"""Rows of growth: time by the number of images, steps, classes and stages."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from comparison import OURS, Settings, timed

from hw2 import rng
from hw2.clip.classify import classify
from rows.per_item import SEED, PerItem, digits, parameters, written

LIMIT = 60.0  # processor seconds; a contender tries no size after one that took longer
Run = Callable[[int], object]


def images(settings: Settings) -> dict[str, Any]:
    """Augmented batches by the number of images."""
    from rows import dann

    ranges = parameters().dann
    sizes = settings.size((256, 512, 1024, 2048), (64, 128))
    pixels, labels = digits("mnistm", sizes[-1])
    with TemporaryDirectory() as folder:
        files, transform = written(Path(folder), pixels), dann.transform(ranges.augmentations)

        def theirs(count: int) -> object:
            items = PerItem(files[:count], labels[:count].tolist(), transform)
            return dann.per_item(items, ranges.train.batch_size)()

        return _grown(
            "Augmented batches, by images", "images", sizes,
            {
                OURS: lambda count: dann.batched(pixels[:count], ranges)(),
                dann.PER_ITEM: theirs,
            },
            "An epoch of augmented digits, as in the row of the same name.",
        )  # fmt: skip


def steps(settings: Settings) -> dict[str, Any]:
    """Guided digits by the number of sampling steps."""
    from rows import ddpm, denoisers

    sizes = settings.size((4, 8, 16, 32), (1, 2))
    network, student, _ = ddpm.untrained()
    labels = torch.arange(settings.size(4, 1))
    return _grown(
        "Guided digits, by steps", "steps", sizes,
        {
            OURS: lambda count: ddpm.samples(network, count, 1)(),
            ddpm.STUDENT: lambda count: denoisers.ancestral(student, labels, 3.0, count),
        },
        f"20 digits by our network, {len(labels)} by that of the student recipe.",
    )  # fmt: skip


def classes(settings: Settings) -> dict[str, Any]:
    """Zero-shot classification of features by the number of classes."""
    sizes = settings.size((10, 100, 1000, 10000), (10, 100))
    stream = rng.numpy_rng(SEED, "benchmark", "classes")
    count = settings.size(1000, 50)
    features, texts = (_unit(stream, rows) for rows in (count, sizes[-1]))
    labels = np.zeros(count, np.int64)

    def theirs(number: int) -> None:
        table = torch.from_numpy(texts[:number].T)
        for feature in torch.from_numpy(features):
            (100 * feature @ table).softmax(-1).topk(5)

    return _grown(
        "Zero-shot classification, by classes", "classes", sizes,
        {
            OURS: lambda number: classify(features, texts[:number].T, labels, 100.0),
            "one by one": theirs,
        },
        f"{count:,} random features of 512 values; the peer classifies one image at a time.",
    )  # fmt: skip


def stages(settings: Settings) -> dict[str, Any]:
    """Stages that do nothing, by their number, in both tools."""
    from rows import tiny_dag

    def from_nothing(run: Callable[[Path], None]) -> Run:
        def of(count: int) -> None:
            with TemporaryDirectory() as name:
                folder = Path(name, "dag")
                tiny_dag.make(folder, count)
                run(folder)

        return of

    return _grown(
        "Stages that do nothing, by their number", "stages", settings.size((10, 100, 1000), (1, 2)),
        {
            OURS: from_nothing(tiny_dag.ours),
            "DVC alone": from_nothing(tiny_dag.dvc),
            "Snakemake alone": from_nothing(tiny_dag.snakemake),
        },
        "From nothing to done, one at a time, with making the repository.",
    )  # fmt: skip


def _grown(
    title: str, unit: str, sizes: Sequence[int], runs: Mapping[str, Run], equal: str
) -> dict[str, Any]:
    """The record of a row: processor seconds of each contender at each size."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run(sizes[0])  # warms up
    for size in sizes:
        for name, run in runs.items():
            measured = seconds[name]
            if len(measured) == sizes.index(size) and max(measured, default=0) < LIMIT:
                measured.append(timed(lambda run=run, size=size: run(size)).processor)  # type: ignore[misc]
    exponents = {name: exponent(sizes, values) for name, values in seconds.items()}
    return {
        "title": title, "unit": unit, "equal": equal, "sizes": list(sizes), "seconds": seconds,
        "exponents": exponents,
    }  # fmt: skip


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float | None:
    """The slope of seconds by sizes in logarithms; None for a single size."""
    if len(seconds) < 2:
        return None
    return float(np.polyfit(np.log(sizes[: len(seconds)]), np.log(seconds), 1)[0])


def _unit(stream: np.random.Generator, rows: int) -> np.ndarray:
    values = stream.standard_normal((rows, 512)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)

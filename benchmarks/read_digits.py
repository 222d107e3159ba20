"""Reading digits: one decode into packed arrays against a per-item PIL `DataLoader`.

    python benchmarks/read_digits.py hw2_data            # the course's folder, all its domains
    python benchmarks/read_digits.py hw2_data --domain mnistm

Both sides yield the same normalized batches, float32 (N, 3, 28, 28) in [-1, 1], in random order.
The sides take turns, so that other work on the machine disturbs both; the best of each counts.
"""

import argparse
import csv
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from hw2.config import params
from hw2.digits import arrays, course
from hw2.digits.domains import DOMAINS
from hw2.digits.labels import SPLITS
from hw2.pixels import from_uint8
from hw2.training.batch_sampler import BatchSampler

BATCH = 128


class PerItem(Dataset[tuple[Tensor, int]]):
    """As most solutions read: a csv row, an image file, a tensor."""

    def __init__(self, digits: Path, domains: list[str]) -> None:
        self.rows: list[tuple[Path, int]] = []
        for domain in domains:
            for table in sorted((digits / domain).glob("*.csv")):
                with table.open(encoding="utf-8-sig", newline="") as file:
                    self.rows += [
                        (digits / domain / "data" / row["image_name"], int(row["label"]))
                        for row in csv.DictReader(file)
                    ]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path, label = self.rows[index]
        with Image.open(path) as image:
            pixels = np.array(image.convert("RGB"))
        return torch.from_numpy(pixels).permute(2, 0, 1).float() / 127.5 - 1, label


def packed_epoch(folder: Path, domains: list[str], epoch: int) -> Iterator[Tensor]:
    """An epoch over every packed split, in the order in which a training reads it."""
    for domain in domains:
        for split in SPLITS:
            images = arrays.load(folder, domain, split).images
            order = BatchSampler(len(images), seed=0)
            steps = len(images) // BATCH
            for step in range(epoch * steps, (epoch + 1) * steps):
                yield from_uint8(images[order.batch(step, BATCH)])


def rate(batches: Callable[[], Iterable[Any]]) -> tuple[float, float]:
    """Images a second and seconds of one pass."""
    start, count = time.perf_counter(), 0
    for batch in batches():
        count += len(batch[0] if isinstance(batch, list) else batch)
    seconds = time.perf_counter() - start
    return count / seconds, seconds


def main() -> None:
    """Measure throughput and print it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="the course's hw2_data folder")
    parser.add_argument("--domain", action="append", help="default: all of the folder")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)  # a batch is too small to be shared; neither side gains from more
    digits = options.folder / "digits"
    domains = options.domain or [name for name in DOMAINS if (digits / name).is_dir()]
    data = params.load().data.model_copy(
        update={
            "domains": tuple(domains),
            "test_labels": True,
            **{f"{split}_images": None for split in SPLITS},
        }
    )
    items = PerItem(digits, domains)
    loaders = {
        workers: DataLoader(items, BATCH, shuffle=True, num_workers=workers) for workers in (0, 2)
    }
    with tempfile.TemporaryDirectory() as folder:
        slow, fast, decode = [], [], []
        for number in range(options.rounds):
            start = time.perf_counter()
            for domain, split, decoded in course.contents(options.folder, data):
                arrays.save(Path(folder), domain, split, decoded)
            decode.append(time.perf_counter() - start)
            slow += [rate(partial(iter, loader)) for loader in loaders.values()]
            fast += [rate(partial(packed_epoch, Path(folder), domains, number))]
    best_slow, best_fast = max(slow), max(fast)
    print(f"{len(items):,} images of {', '.join(domains)}; the best of {options.rounds} rounds")
    print(f"per item, PIL and DataLoader  {best_slow[0]:>12,.0f} images/s")
    print(f"packed                        {best_fast[0]:>12,.0f} images/s")
    print(f"ratio                         {best_fast[0] / best_slow[0]:>12.1f}  (at least 50)")
    print(f"decoding and checking once    {min(decode):>12.1f} s")
    print(f"one epoch per item            {min(s for _, s in slow):>12.1f} s  (more than that)")


if __name__ == "__main__":
    main()

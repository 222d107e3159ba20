"""Images a second of domain adaptation, against the usual way: one image at a time through PIL.

    python benchmarks/dann_throughput.py [--images 2000] [--rounds 3] [--threads 1] [--check]

Both ways read the same digits, draw the same kinds of augmentations with the ranges of params.yaml,
and train the same network with the same optimizer, in one process. The usual way is what the
course's public solutions do: a PNG per image, opened, transformed and normalized one by one in a
DataLoader. A third way is the usual one without augmentations. Rounds alternate
between the ways, and the best round of each counts, so that a busy machine slows all alike.
`--check` exits with 1 below the targets: 7 times the input throughput and 1.7 times the training
throughput.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from hw2 import rng
from hw2.config import params
from hw2.dann import augmentations
from hw2.dann.classifier import Classifier
from hw2.digits import synthetic
from hw2.pixels import from_uint8
from hw2.training.batch_sampler import BatchSampler

ROOT = Path(__file__).resolve().parents[1]
INPUT, TRAINING = 7.0, 1.7
Batches = Callable[[int], Iterator[tuple[Tensor, Tensor]]]


class Files(Dataset[tuple[Tensor, int]]):
    """A PNG per image, as in the course's folder."""

    def __init__(
        self, folder: Path, digits: np.ndarray, v: params.Augmentations, plain: bool
    ) -> None:
        self.paths = [folder / f"{k:05d}.png" for k in range(len(digits))]
        self.digits = digits.tolist()
        shear, shift = np.degrees(np.arctan(v.shear)), v.translate / 28
        change = (max(0.0, 1 - v.contrast), 1 + v.contrast)
        tensor = [transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)]
        random = [
            transforms.RandomAffine(
                v.degrees, (shift, shift), (1 - v.scale, 1 + v.scale), (-shear, shear),
                transforms.InterpolationMode.BILINEAR,
            ),
            transforms.RandomApply([transforms.GaussianBlur(3)], v.blur),
            transforms.ColorJitter(v.brightness, change, v.color_jitter),
            transforms.RandomInvert(v.invert),
            transforms.RandomGrayscale(v.grayscale),
        ]  # fmt: skip
        hole = transforms.RandomErasing(1.0, ((v.cutout / 28) ** 2,) * 2, (1, 1))
        self.transform = transforms.Compose(tensor if plain else [*random, *tensor, hole])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        with Image.open(self.paths[index]) as image:
            return self.transform(image.convert("RGB")), self.digits[index]


def one_by_one(folder: Path, digits: np.ndarray, dann: params.Dann, plain: bool = False) -> Batches:
    """The usual way."""
    files = Files(folder, digits, dann.augmentations, plain)

    def batches(seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        stream = rng.torch_rng(seed, "benchmark")
        yield from DataLoader(
            files, dann.train.batch_size, shuffle=True, drop_last=True, generator=stream
        )

    return batches


def batched(images: np.ndarray, digits: np.ndarray, dann: params.Dann) -> Batches:
    """Our way: packed arrays and augmentations of whole batches."""
    labels, size = torch.from_numpy(digits), dann.train.batch_size

    def batches(seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        order = BatchSampler(len(images), seed)
        for step in range(len(images) // size):
            rows = order.batch(step, size)
            stream = rng.torch_rng(seed, "augmentations", step)
            yield (
                augmentations.strong(from_uint8(images[rows]), dann.augmentations, stream),
                labels[rows],
            )

    return batches


def read(batches: Batches, seed: int, learn: Callable[[Tensor, Tensor], None] | None) -> float:
    """Images a second of one pass."""
    start, count = time.perf_counter(), 0
    for images, labels in batches(seed):
        count += len(images)
        if learn is not None:
            learn(images, labels)
    return count / (time.perf_counter() - start)


def learner(dann: params.Dann) -> Callable[[Tensor, Tensor], None]:
    """A step of training on a batch with labels."""
    torch.manual_seed(rng.derive(dann.seeds[0], "benchmark"))
    network: nn.Module = Classifier(dann.network).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=dann.train.lr, fused=True)

    def learn(images: Tensor, labels: Tensor) -> None:
        images = images.contiguous(memory_format=torch.channels_last)
        loss = F.cross_entropy(network(images, 0), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return learn


def main() -> int:
    """Measure throughput and print it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dann = params.load(ROOT / "params.yaml").dann
    images, digits = synthetic.draw("mnistm", "train", options.images, dann.seeds[0])
    with tempfile.TemporaryDirectory() as folder:
        for index, image in enumerate(images):
            Image.fromarray(image).save(Path(folder) / f"{index:05d}.png")
        variants = {
            "one by one": one_by_one(Path(folder), digits, dann),
            "one by one, no augmentations": one_by_one(Path(folder), digits, dann, plain=True),
            "batched": batched(images, digits, dann),
        }
        best: dict[str, dict[str, float]] = {"input": {}, "training": {}}
        for seed in range(options.rounds):
            for variant, batches in variants.items():
                for kind, rates in best.items():
                    learn = learner(dann) if kind == "training" else None
                    rates[variant] = max(rates.get(variant, 0.0), read(batches, seed, learn))
    ratios = {kind: rates["batched"] / rates["one by one"] for kind, rates in best.items()}
    print(json.dumps({"images_per_second": best, "ratio": ratios}, indent=2))
    return int(options.check and (ratios["input"] < INPUT or ratios["training"] < TRAINING))


if __name__ == "__main__":
    sys.exit(main())

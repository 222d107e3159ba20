"""The usual way to read images: a PNG for each, opened and transformed one by one."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from comparison import ROOT
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from hw2 import rng
from hw2.config import params
from hw2.digits import synthetic

SEED = 1
Batches = Iterator[tuple[Tensor, Tensor]]


class PerItem(Dataset[tuple[Tensor, int]]):
    """Files and labels; an item is the transformed image and its label."""

    def __init__(
        self,
        files: Sequence[Path],
        labels: Sequence[int],
        transform: Callable[[Image.Image], Tensor] | None = None,
    ) -> None:
        self.files, self.labels = list(files), [int(label) for label in labels]
        self.transform = transform or to_tensor

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        with Image.open(self.files[index]) as image:
            return self.transform(image.convert("RGB")), self.labels[index]


def to_tensor(image: Image.Image) -> Tensor:
    """An image as float32 (3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 127.5 - 1


def forever(dataset: Dataset[Any], batch: int) -> Batches:
    """Shuffled batches without an end, loaded in the calling process."""
    stream = rng.torch_rng(SEED, "benchmark", "order")
    loader = DataLoader(dataset, batch, shuffle=True, drop_last=True, generator=stream)
    while True:
        yield from loader


def parameters() -> params.Params:
    """The parameters of params.yaml."""
    return params.load(ROOT / "params.yaml")


def digits(domain: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Synthetic digits: uint8 (count, 28, 28, 3) and int64 (count,)."""
    return synthetic.draw(domain, "train", count, SEED)


def written(folder: Path, images: np.ndarray) -> list[Path]:
    """The files of images that are written as PNGs."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{index:05d}.png" for index in range(len(images))]
    for file, image in zip(files, images, strict=True):
        Image.fromarray(image).save(file)
    return files

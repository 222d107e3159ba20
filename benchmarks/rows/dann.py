"""Rows of domain adaptation: the input pipeline, and an epoch of DANN."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from comparison import OURS, Comparison, Contender, Settings, missing
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import transforms

from hw2 import rng
from hw2.config import params
from hw2.dann import augmentations
from hw2.dann import train as dann_train
from hw2.dann.classifier import Classifier
from hw2.dann.gradient_reversal import reverse
from hw2.dann.methods.dann import Dann
from hw2.dann.pairs import Pair
from hw2.digits import arrays
from hw2.models.feature_extractor import domain_head
from hw2.pixels import from_uint8
from hw2.training.batch_sampler import BatchSampler
from hw2.training.resume import Resume
from rows.per_item import SEED, PerItem, digits, forever, parameters, written

PER_ITEM, ADAPT = "PIL and torchvision per item", "pytorch-adapt"


def transform(ranges: params.Augmentations) -> Any:
    """The kinds of augmentations of `hw2.dann.augmentations`, for one Pillow image."""
    shear, shift = np.degrees(np.arctan(ranges.shear)), ranges.translate / 28
    change = (max(0.0, 1 - ranges.contrast), 1 + ranges.contrast)
    return transforms.Compose([
        transforms.RandomAffine(
            ranges.degrees, (shift, shift), (1 - ranges.scale, 1 + ranges.scale), (-shear, shear),
            transforms.InterpolationMode.BILINEAR,
        ),
        transforms.RandomApply([transforms.GaussianBlur(3)], ranges.blur),
        transforms.ColorJitter(ranges.brightness, change, ranges.color_jitter),
        transforms.RandomInvert(ranges.invert),
        transforms.RandomGrayscale(ranges.grayscale),
        transforms.ToTensor(),
        transforms.Normalize((0.5,) * 3, (0.5,) * 3),
        transforms.RandomErasing(1.0, ((ranges.cutout / 28) ** 2,) * 2, (1, 1)),
    ])  # fmt: skip


def batched(images: np.ndarray, dann: params.Dann) -> Callable[[], int]:
    """Our input pipeline: packed images and augmentations of whole batches; counts the images."""
    size = dann.train.batch_size
    order = BatchSampler(len(images), SEED)

    def run() -> int:
        for step in range(len(images) // size):
            stream = rng.torch_rng(SEED, "augmentations", step)
            rows = order.batch(step, size)
            augmentations.strong(from_uint8(images[rows]), dann.augmentations, stream)
        return len(images) // size * size

    return run


def per_item(items: PerItem, batch: int) -> Callable[[], int]:
    """The usual input pipeline."""

    def run() -> int:
        steps = len(items) // batch
        return sum(len(images) for images, _ in islice(forever(items, batch), steps))

    return run


@contextmanager
def input_pipeline(settings: Settings) -> Iterator[Comparison]:
    """Augmented batches of digits."""
    dann = parameters().dann
    count, batch = settings.size(2048, 128), dann.train.batch_size
    images, labels = digits("mnistm", count)
    steps = count // batch * batch
    with TemporaryDirectory() as folder:
        files = written(Path(folder), images)
        items = PerItem(files, labels.tolist(), transform(dann.augmentations))
        yield Comparison(
            title="Augmented batches for domain adaptation",
            unit="image",
            contenders={
                OURS: Contender(batched(images, dann), steps),
                PER_ITEM: Contender(per_item(items, batch), steps),
            },
            equal=f"{count:,} digits of 28x28 pixels, the same kinds and ranges of augmentations,"
            f" in batches of {batch}. Ours reads packed arrays, the peer PNGs.",
        )


@contextmanager
def epoch(settings: Settings) -> Iterator[Comparison]:
    """An epoch of DANN over two domains with the same network."""
    dann = parameters().dann
    count, batch = settings.size(1024, 64), settings.size(dann.train.batch_size, 32)
    steps = count // batch
    loop = dann.train.model_copy(update={"steps": steps, "save_every": steps, "batch_size": batch})
    dann = dann.model_copy(update={"train": loop})
    pair = Pair("mnistm", "svhn")
    with TemporaryDirectory() as name:
        folder, loaders = Path(name), []
        for domain in pair.domains:
            images, labels = digits(domain, count)
            arrays.save(folder, domain, "train", arrays.Digits(images, labels))
            files = written(folder / domain, images)
            items = PerItem(files, labels.tolist(), transform(dann.augmentations))
            loaders.append(forever(items, batch))
        training = dann_train.Training(pair, "dann", SEED)

        def ours() -> None:
            with TemporaryDirectory() as checkpoints:
                dann_train.train_method(
                    dann, training, Dann, folder, Resume(checkpoints, {}), torch.device("cpu")
                )

        contenders = {
            OURS: Contender(ours, 2 * steps * batch),
            PER_ITEM: Contender(_plain(dann, loaders, steps), 2 * steps * batch),
        }
        absent = missing(ADAPT, "pytorch_adapt")
        if not absent:
            contenders[ADAPT] = Contender(_adapt(dann, loaders, steps), 2 * steps * batch)
        yield Comparison(
            title="Training DANN",
            unit="image",
            contenders=contenders,
            missing=absent,
            equal=f"{steps} steps with {batch} images of each of two domains, the same feature"
            " extractor, heads and augmentations, AdamW. Ours also averages weights and weighs the"
            " entropy of the target, which the peers do not.",
        )


def _modules(dann: params.Dann) -> tuple[Classifier, nn.Module, torch.optim.Optimizer]:
    with rng.seeded_init(SEED, "benchmark"):
        network = Classifier(dann.network).train()
        hidden = dann.hyperparameters.dann.hidden_units
        head = domain_head(network.extractor.features, hidden)
    weights = [*network.parameters(), *head.parameters()]
    return network, head, torch.optim.AdamW(weights, lr=dann.train.lr)


def _plain(dann: params.Dann, loaders: list[Any], steps: int) -> Callable[[], object]:
    """A first script: one domain after the other through the network."""
    network, head, optimizer = _modules(dann)

    def domain_loss(features: Tensor, domain: float) -> Tensor:
        logits = head(reverse(features, 1.0))[:, 0]
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, domain))

    def run() -> None:
        for _ in range(steps):
            (source, labels), (target, _) = (next(loader) for loader in loaders)
            features = [network.features(images, k) for k, images in enumerate((source, target))]
            loss = F.cross_entropy(network.head(features[0]), labels)
            loss = loss + domain_loss(features[0], 0.0) + domain_loss(features[1], 1.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def _adapt(dann: params.Dann, loaders: list[Any], steps: int) -> Callable[[], object]:
    """The hook of pytorch-adapt, which passes both domains through one network."""
    from pytorch_adapt.hooks import DANNHook

    network, head, optimizer = _modules(dann)

    class Features(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return network.features(images, 0)

    hook = DANNHook([optimizer])
    models = {"G": Features(), "C": network.head, "D": nn.Sequential(head, nn.Flatten(0))}

    def run() -> None:
        for _ in range(steps):
            (source, labels), (target, _) = (next(loader) for loader in loaders)
            hook({
                **models, "src_imgs": source, "src_labels": labels, "target_imgs": target,
                "src_domain": torch.zeros(len(source)), "target_domain": torch.ones(len(target)),
            })  # fmt: skip

    return run

"""How well classifiers that were trained on real digits read the synthetic ones, and the reverse.

    python benchmarks/digit_readers.py hw2_data [--domains usps ...] [--steps 900] [--reverse]

For each domain a small CNN (`hw2.models.judge.DigitNet`) is trained on the real images of
`hw2_data/digits/DOMAIN/train.csv`, then reads the real images of `test.csv` and synthetic images of
the test split. If `hw2_data/Classifier.pth` exists, the course's classifier reads MNIST-M as well.
With `--reverse`, a CNN that is trained on as many synthetic images reads both, too: the synthetic
images lack what real writers do if it reads real ones much worse. A domain whose images are not
there is skipped. Prints a Markdown table, or JSON with `--json`: accuracy, overall and by digit,
and n. Two minutes of one core for each training.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from hw2 import rng
from hw2.digits import synthetic
from hw2.digits.arrays import Digits
from hw2.digits.labels import NUM_DIGITS
from hw2.models.judge import CourseClassifier, DigitNet
from hw2.pixels import from_uint8

SEED = 7
BATCH = 128
SHIFT = 2  # pixels by which training images are shifted at most
MOST_EXAMPLES = 20_000  # real training images


@dataclass(frozen=True)
class Row:
    """What a reader made of a set of images: accuracies in [0, 1], overall and by digit (10,)."""

    reader: str
    images: str
    accuracy: float
    n: int
    digits: list[float]


def markdown(row: Row) -> str:
    """The row of a table."""
    by_digit = " | ".join(f"{accuracy:.2f}" for accuracy in row.digits)
    return f"| {row.reader} | {row.images} | {row.accuracy:.3f} | {row.n} | {by_digit} |"


def read(root: Path, domain: str, table: str, limit: int) -> tuple[Tensor, np.ndarray] | None:
    """Real images float (N, 3, 28, 28) in [-1, 1] and digits (N,), or None if they are missing."""
    folder = root / "digits" / domain
    if not (folder / table).is_file():
        print(f"{folder / table}: is missing; {domain} is skipped", file=sys.stderr)
        return None
    with (folder / table).open(newline="") as file:
        rows = list(csv.DictReader(file))[:limit]
    images = []
    for row in rows:
        with Image.open(folder / "data" / row["image_name"]) as image:
            images.append(np.asarray(image.convert("RGB")))
    return from_uint8(np.stack(images)), np.array([int(row["label"]) for row in rows])


def train(images: Tensor, digits: np.ndarray, steps: int) -> nn.Module:
    """A classifier of the images, with random shifts."""
    with rng.seeded_init(SEED, "readers", "net"):
        net = DigitNet(24)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    random = rng.numpy_rng(SEED, "readers", "batches")
    labels = torch.from_numpy(digits)
    with torch.random.fork_rng():
        torch.manual_seed(rng.derive(SEED, "readers", "dropout"))
        for _ in range(steps):
            rows = torch.from_numpy(random.integers(len(digits), size=BATCH))
            down, right = random.integers(0, 2 * SHIFT + 1, 2)
            batch = F.pad(images[rows], (SHIFT,) * 4, mode="replicate")
            loss = F.cross_entropy(
                net(batch[..., down : down + 28, right : right + 28]), labels[rows]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.eval()


def score(net: nn.Module, images: Tensor, digits: np.ndarray) -> tuple[float, list[float]]:
    """Accuracy, overall and of each digit."""
    with torch.inference_mode():
        read = torch.cat([net(part).argmax(1) for part in images.split(500)]).numpy()
    right = read == digits
    return float(right.mean()), [float(right[digits == d].mean()) for d in range(NUM_DIGITS)]


def course_classifier(root: Path) -> nn.Module | None:
    """The course's classifier, or None if it is not there."""
    path = root / "Classifier.pth"
    if not path.is_file():
        return None
    content = torch.load(path, map_location="cpu", weights_only=True)
    net = CourseClassifier()
    net.load_state_dict(content.get("state_dict", content))
    return net.eval()


def drawn(domain: str, split: str, count: int) -> tuple[Tensor, np.ndarray]:
    """Synthetic images float (N, 3, 28, 28) in [-1, 1] and digits (N,)."""
    digits = Digits(*synthetic.draw(domain, split, count, SEED))
    return from_uint8(digits.rgb), digits.digits


def measure(root: Path, domain: str, count: int, steps: int, reverse: bool) -> Iterator[Row]:
    """The rows of a domain, or none if its real images are missing."""
    real = read(root, domain, "test.csv", count)
    examples = read(root, domain, "train.csv", MOST_EXAMPLES) if real else None
    if real is None or examples is None:
        return
    sets = {"real": real, "synthetic": drawn(domain, "test", count)}
    amount = len(examples[1])
    readers = {f"trained on {amount} real {domain}": train(*examples, steps)}
    if domain == "mnistm" and (course := course_classifier(root)) is not None:
        readers["the course's classifier"] = course
    if reverse:
        made = drawn(domain, "train", amount)
        readers[f"trained on {amount} synthetic {domain}"] = train(*made, steps)
    for name, net in readers.items():
        for kind, (images, digits) in sets.items():
            accuracy, by_digit = score(net, images, digits)
            yield Row(name, f"{kind} {domain}", accuracy, len(digits), by_digit)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="a folder of the course's layout")
    parser.add_argument("--domains", nargs="+", default=["mnistm", "svhn", "usps"])
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--images", type=int, default=2000, help="test images of each kind")
    parser.add_argument("--reverse", action="store_true", help="train on synthetic images, too")
    parser.add_argument("--json", action="store_true", help="print JSON lines, not Markdown")
    args = parser.parse_args()
    if not args.json:
        names = ("reader", "images", "accuracy", "n", *map(str, range(NUM_DIGITS)))
        print(f"| {' | '.join(names)} |\n{'|---' * len(names)}|")
    for domain in args.domains:
        for row in measure(args.root, domain, args.images, args.steps, args.reverse):
            print(json.dumps(asdict(row)) if args.json else markdown(row), flush=True)


if __name__ == "__main__":
    main()

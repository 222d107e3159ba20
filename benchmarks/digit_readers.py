"""How well classifiers that were trained on real digits read the synthetic ones.

    python benchmarks/digit_readers.py hw2_data [--domains mnistm svhn usps] [--steps 900]

For each domain a small CNN (`hw2.models.judge.DigitNet`) is trained on the real images of
`hw2_data/digits/DOMAIN/train.csv`, then reads the real images of `test.csv` and synthetic images of
the test split. If `hw2_data/Classifier.pth` exists, the course's classifier reads MNIST-M as well.
A domain whose images are not there is skipped. Prints a Markdown table with n, and the digit that
is read worst. Five minutes a domain on one core.
"""

import argparse
import csv
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


def read(root: Path, domain: str, table: str, limit: int) -> tuple[Tensor, np.ndarray] | None:
    """Real images float (N, 3, 28, 28) in [-1, 1] and digits (N,), or None if they are missing."""
    folder = root / "digits" / domain
    if not (folder / table).is_file():
        print(f"{folder / table}: is missing; {domain} is skipped")
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


def score(net: nn.Module, images: Tensor, digits: np.ndarray) -> str:
    """Accuracy, n and the worst digit, as cells of a table."""
    with torch.inference_mode():
        read = torch.cat([net(part).argmax(1) for part in images.split(500)]).numpy()
    right = read == digits
    each = [right[digits == digit].mean() for digit in range(NUM_DIGITS)]
    worst = int(np.argmin(each))
    return f"{right.mean():.3f} | {len(digits)} | {worst}: {each[worst]:.2f}"


def course_classifier(root: Path) -> nn.Module | None:
    """The course's classifier, or None if it is not there."""
    path = root / "Classifier.pth"
    if not path.is_file():
        return None
    content = torch.load(path, map_location="cpu", weights_only=True)
    net = CourseClassifier()
    net.load_state_dict(content.get("state_dict", content))
    return net.eval()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="a folder of the course's layout")
    parser.add_argument("--domains", nargs="+", default=["mnistm", "svhn", "usps"])
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--images", type=int, default=2000, help="test images of each kind")
    args = parser.parse_args()
    print("| reader | images | accuracy | n | worst digit |\n|---|---|---|---|---|")
    for domain in args.domains:
        real = read(args.root, domain, "test.csv", args.images)
        examples = read(args.root, domain, "train.csv", 20_000) if real else None
        if real is None or examples is None:
            continue
        synthetic_digits = Digits(*synthetic.draw(domain, "test", args.images, SEED))
        drawn = from_uint8(synthetic_digits.rgb), synthetic_digits.digits
        readers: list[tuple[str, nn.Module | None]] = [
            (f"trained on {len(examples[1])} real {domain}", train(*examples, args.steps)),
            (
                "the course's classifier",
                course_classifier(args.root) if domain == "mnistm" else None,
            ),
        ]
        for name, net in readers:
            for kind, pair in (("real", real), ("synthetic", drawn)):
                if net is not None:
                    print(f"| {name} | {kind} {domain} | {score(net, *pair)} |", flush=True)


if __name__ == "__main__":
    main()

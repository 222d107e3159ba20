"""Measure the look of real digits and of the synthetic ones, as Markdown tables.

    python benchmarks/digit_statistics.py [hw2_data] [--images 1500]

Real images are those of `hw2_data/digits/{mnist,usps,mnistm,svhn}/train.csv`; without them the
column of the synthetic images is printed alone. Each cell is the mean and the standard deviation
over n images. Gray images are measured on their ink:

* height, width: sides of the box around the ink above a fifth of full ink, in pixels
* stroke: four times the mean distance of ink to its edge, the width of a long straight stroke
* slant: covariance of x and y over the variance of y, positive to the right
* ink: share of the pixels above a tenth of full ink; gray: the share of these below nine tenths

Images in color are measured in gray levels: brightness and contrast are the mean and the standard
deviation in an image, saturation the largest minus the smallest channel, detail the mean difference
of neighbors in a row, and legibility the mean of |255 - 2 p|, which inverting a pixel p keeps.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from hw2 import rng
from hw2.digits import synthetic
from hw2.digits.drawing import hands, handwriting
from hw2.digits.labels import NUM_DIGITS

SEED = 7
ZOOM = 4  # pixels are enlarged by this factor before widths are measured
Measures = dict[str, float]


def gray_measures(image: np.ndarray) -> Measures:
    """Measures of the ink of a gray image, uint8 (28, 28)."""
    ink = image / 255
    rows, columns = np.flatnonzero((ink > 0.2).any(1)), np.flatnonzero((ink > 0.2).any(0))
    size = (ZOOM * image.shape[1], ZOOM * image.shape[0])
    big = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)) > 127
    distance = ndimage.distance_transform_edt(np.pad(big, 1))
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    y, x = y - (y * ink).sum() / ink.sum(), x - (x * ink).sum() / ink.sum()
    inked = ink > 0.1
    return {
        "height": rows[-1] - rows[0] + 1,
        "width": columns[-1] - columns[0] + 1,
        "stroke": (4 * distance[distance > 0].mean() - 2) / ZOOM,  # half a pixel at either edge
        "slant": -(x * y * ink).sum() / (y * y * ink).sum(),
        "ink": inked.mean(),
        "gray": (ink[inked] < 0.9).mean(),
    }


def color_measures(image: np.ndarray) -> Measures:
    """Measures of an image in color, uint8 (28, 28, 3), in gray levels."""
    image = image.astype(float)
    gray = image.mean(-1)
    return {
        "brightness": gray.mean(),
        "contrast": gray.std(),
        "saturation": np.ptp(image, axis=-1).mean(),
        "detail": np.abs(np.diff(gray, axis=1)).mean(),
        "legibility": np.abs(255 - 2 * image).mean(),
    }


def real_images(root: Path | None, domain: str, count: int) -> np.ndarray | None:
    """The first real images of a domain, uint8 (N, 28, 28) or (N, 28, 28, 3), or None."""
    if root is None:
        return None
    folder = root / "digits" / domain
    if not (folder / "train.csv").is_file():
        print(f"{folder / 'train.csv'}: is missing; real {domain} is skipped")
        return None
    with (folder / "train.csv").open(newline="") as file:
        names = [row["image_name"] for row in csv.DictReader(file)][:count]
    return np.stack([np.asarray(Image.open(folder / "data" / name)) for name in names])


def synthetic_images(domain: str, count: int) -> np.ndarray:
    """Synthetic images of a domain; those of MNIST are the handwriting of the MNIST-M-like ones."""
    if domain != "mnist":
        images, _ = synthetic.draw(domain, "train", count, SEED)
        return images[..., 0] if images.shape[-1] == 1 else images
    table = hands.table("mnistm", "train", SEED, handwriting.MNIST_STYLE)
    digits = np.arange(count) % NUM_DIGITS
    ink = handwriting.mnist_like(table, digits, rng.numpy_rng(SEED, "statistics"))
    return (255 * ink).round().astype(np.uint8)


def column(images: np.ndarray, measure: Callable[[np.ndarray], Measures]) -> dict[str, str]:
    """Mean and standard deviation of each measure over the images."""
    rows = [measure(image) for image in images]
    values = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return {name: f"{value.mean():.2f} ± {value.std():.2f}" for name, value in values.items()}


def main() -> None:
    """Print a table for each domain."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, nargs="?", help="a folder of the course's layout")
    parser.add_argument("--images", type=int, default=1500)
    args = parser.parse_args()
    for domain in ("mnist", "usps", "mnistm", "svhn"):
        measure = gray_measures if domain in ("mnist", "usps") else color_measures
        columns = {}
        for kind, images in (
            ("real", real_images(args.root, domain, args.images)),
            ("synthetic", synthetic_images(domain, args.images)),
        ):
            if images is not None:
                columns[f"{kind}, n = {len(images)}"] = column(images, measure)
        print(f"\n| {domain} | " + " | ".join(columns) + " |")
        print("|---" * (1 + len(columns)) + "|")
        for name in next(iter(columns.values())):
            print(f"| {name} | " + " | ".join(cells[name] for cells in columns.values()) + " |")


if __name__ == "__main__":
    main()

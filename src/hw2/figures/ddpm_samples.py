"""Reading `samples.npz` and arranging it for the image figures."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw2.digits import grid
from hw2.digits.labels import LABELED_DOMAINS, NUM_DIGITS
from hw2.figures import records
from hw2.figures.image_grids import Pixels
from hw2.runtime.errors import UserError


@dataclass(frozen=True)
class Strip:
    """The reverse process of one image: `images` (S, H, W, 3) at `times` (S,), noise first."""

    images: Pixels
    times: tuple[int, ...]


@dataclass(frozen=True)
class Samples:
    """Images of the figures, by domain.

    A grid is uint8 (NUM_DIGITS, K, H, W, 3): row = digit, column = noise, K <= grid.COLUMNS.
    """

    grids: dict[str, Pixels]
    strips: dict[str, Strip]


def read_samples(path: Path) -> Samples:
    """Read and arrange `samples.npz`.

    Raises:
        UserError: an array is missing or of the wrong shape, or a digit lacks an image.
    """
    per_image = ("images", "digits", "domains", "index")
    stored = records.arrays(path, (*per_image, "reverse_images", "reverse_t", "reverse_domains"))
    for name in ("images", "reverse_images"):
        _check_pixels(stored[name], name, path)
    lengths = {len(stored[name]) for name in per_image}
    if len(lengths) != 1:
        raise UserError(f"{path}: {', '.join(per_image)} differ in length; {records.REMAKE}")
    present = [domain for k, domain in enumerate(LABELED_DOMAINS) if (stored["domains"] == k).any()]
    if not present:
        raise UserError(f"{path}: no image of {' or '.join(LABELED_DOMAINS)}; {records.REMAKE}")
    return Samples(
        grids={domain: arrange(stored, domain, str(path)) for domain in present},
        strips={domain: _strip(stored, domain, str(path)) for domain in present},
    )


def _check_pixels(images: NDArray[Any], name: str, path: Path) -> None:
    dims = 4 if name == "images" else 5
    if images.dtype != np.uint8 or images.ndim != dims or images.shape[-1] != 3:
        shape = "(N, H, W, 3)" if dims == 4 else "(D, S, H, W, 3)"
        raise UserError(
            f"{path}: '{name}' is {images.dtype} {images.shape}, not uint8 {shape}; "
            f"{records.REMAKE}"
        )


def arrange(stored: dict[str, NDArray[Any]], domain: str, where: str) -> Pixels:
    """Return the images of `domain` as uint8 (NUM_DIGITS, K, H, W, 3): [digit, noise].

    Raises:
        UserError: a digit lacks one of the noises that another digit has.
    """
    rows = np.flatnonzero(stored["domains"] == LABELED_DOMAINS.index(domain))
    keys = zip(stored["digits"][rows].tolist(), stored["index"][rows].tolist(), strict=True)
    position = dict(zip(keys, rows.tolist(), strict=True))  # (digit, noise) -> image
    columns = min(grid.COLUMNS, 1 + max(noise for _, noise in position))
    expected = [[(digit, noise) for noise in range(columns)] for digit in range(NUM_DIGITS)]
    for digit, noise in chain.from_iterable(expected):
        if (digit, noise) not in position:
            raise UserError(
                f"{where}: {domain} has no image {noise} of digit {digit}; {records.REMAKE}"
            )
    order = np.array([[position[key] for key in row] for row in expected])
    chosen: Pixels = stored["images"][order]
    return chosen


def _strip(stored: dict[str, NDArray[Any]], domain: str, where: str) -> Strip:
    rows = np.flatnonzero(stored["reverse_domains"] == LABELED_DOMAINS.index(domain))
    images, times = stored["reverse_images"], stored["reverse_t"]
    if len(rows) != 1:
        raise UserError(f"{where}: no reverse process of {domain}; {records.REMAKE}")
    if images.shape[1] != len(times) or (np.diff(times) >= 0).any():
        raise UserError(
            f"{where}: 'reverse_t' must give a falling time for each of {images.shape[1]} images; "
            f"{records.REMAKE}"
        )
    return Strip(images[rows[0]], tuple(int(t) for t in times))

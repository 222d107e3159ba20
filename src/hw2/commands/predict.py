"""`hw2 predict`: classify the digits in a folder of images into a csv of `image_name,label`."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hw2.config import params
from hw2.dann import classifier, trainings
from hw2.dann.pairs import Pair
from hw2.io import files, images
from hw2.io.file_tree import listed
from hw2.runtime.errors import UserError

SIDE = 28
_MAX_NAMED = 3  # unreadable files that a message lists


def run(
    dann: params.Dann,
    *,
    models: Path,
    folder: Path,
    out: Path,
    target: str,
    method: str,
    device: torch.device,
) -> int:
    """Write a row for each image of `folder` to `out`, sorted by name; return their number.

    The classifier is that of the first pair of `dann.pairs` with this target, and the first seed.

    Raises:
        UserError: for a target or a method that was not trained, a folder without images, or a
            file that is not an image; nothing is written then.
    """
    pair = _pair(dann, target)
    if method not in dann.methods:
        raise UserError(f"--method {method}: not trained; choose from {', '.join(dann.methods)}")
    path = models / f"{trainings.of(pair, method, dann.seeds[0]).slug}.safetensors"
    trained = classifier.load(path, device)
    names, pixels = _read(folder, out)
    digits = trained.predict(pixels, target)
    rows = [{"image_name": n, "label": int(d)} for n, d in zip(names, digits, strict=True)]
    files.write_table(out, rows)
    return len(rows)


def _pair(dann: params.Dann, target: str) -> Pair:
    pairs = [Pair.parse(name) for name in dann.pairs]
    for pair in pairs:
        if pair.target == target:
            return pair
    targets = ", ".join(dict.fromkeys(pair.target for pair in pairs))
    raise UserError(
        f"--target {target}: no pair with this target was trained; choose from {targets}"
    )


def _read(folder: Path, out: Path) -> tuple[list[str], np.ndarray]:
    """Read all files that are not hidden: sorted names, and images uint8 (N, 28, 28, 3).

    `out` of an earlier run is left out.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: not a folder; name the folder of the images")
    paths = [path for path in listed(folder) if path.resolve() != out.resolve()]
    pixels, unreadable = np.empty((len(paths), SIDE, SIDE, 3), np.uint8), []
    for row, path in enumerate(paths):
        try:
            pixels[row] = _image(path)
        except (OSError, images.UnreadableImage):
            unreadable.append(path.name)
    if unreadable:
        extra = len(unreadable) - _MAX_NAMED
        more = f" and {extra} more" if extra > 0 else ""
        named = ", ".join(unreadable[:_MAX_NAMED])
        raise UserError(
            f"{folder}: {named}{more}: not readable images; take them out of the folder"
        )
    if not paths:
        raise UserError(f"{folder}: no images; name the folder of the images")
    return [path.name for path in paths], pixels


def _image(path: Path) -> np.ndarray:
    """Decode an image as uint8 (28, 28, 3), transparent pixels on black."""
    pixels = images.decode(path.read_bytes(), formats=images.ALL_FORMATS)
    if pixels.shape[:2] == (SIDE, SIDE):
        return pixels
    resized = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(resized)

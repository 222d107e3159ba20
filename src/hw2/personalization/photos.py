"""Photographs of a concept: read upright, cropped to squares, and cut out by masks."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hw2.config import params
from hw2.io import images as image_files
from hw2.io.file_tree import listed
from hw2.personalization.synthetic import MASKS
from hw2.runtime.errors import UserError

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_CROP_MARGIN = 1.15  # size of an image relative to the random square that is cropped from it
_COMPOSITE_SHARE = 9 / 16  # size of each concept relative to a composite's side


@dataclass(frozen=True)
class Concept:
    """A concept with its photographs.

    Attributes:
        spec: Its settings in params.yaml.
        images: uint8 (H, W, 3) each, upright, sorted by file name.
        masks: bool (H, W) each, true where the concept is; all true for a photograph without a
            mask.
    """

    spec: params.Concept
    images: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray, ...]


def read(folder: Path, spec: params.Concept) -> Concept:
    """Read `folder/{key}/*`, and the masks `folder/masks/{key}/{stem}.png` if there are any.

    Raises:
        UserError: if there are no images, or one is damaged.
    """
    paths = files_of(folder / spec.key)
    images = tuple(pixels(path) for path in paths)
    masks = []
    for path, image in zip(paths, images, strict=True):
        mask = folder / MASKS / spec.key / f"{path.stem}.png"
        full_mask = np.ones(image.shape[:2], bool)
        masks.append(pixels(mask)[..., 0] > 127 if mask.is_file() else full_mask)
        if masks[-1].shape != image.shape[:2]:
            raise UserError(f"{mask}: not of the size of {path}; draw it on that photograph")
    return Concept(spec, images, tuple(masks))


def files_of(folder: Path) -> list[Path]:
    """The image files of a folder, sorted by name.

    Raises:
        UserError: if there are none.
    """
    paths = listed(folder, _SUFFIXES)
    if not paths:
        raise UserError(f"{folder}: no photographs; put a few {', '.join(_SUFFIXES)} there")
    return paths


def pixels(path: Path) -> np.ndarray:
    """A photograph as uint8 (H, W, 3), rotated by its EXIF orientation.

    Raises:
        UserError: if it cannot be read.
    """
    return image_files.read(path)


def squared(image: np.ndarray, size: int, stream: np.random.Generator | None = None) -> np.ndarray:
    """The center of an image as uint8 (size, size, 3) or (size, size).

    With a stream, it is a random square instead, slightly smaller than the largest one, and
    mirrored with probability 1/2.
    """
    margin = 1.0 if stream is None else _CROP_MARGIN
    height, width = image.shape[:2]
    scale = size * margin / min(height, width)
    new_width, new_height = max(size, round(width * scale)), max(size, round(height * scale))
    resized = Image.fromarray(image)
    if resized.size != (new_width, new_height):
        resized = resized.resize((new_width, new_height), Image.Resampling.BICUBIC)
    left, top = (new_width - size) // 2, (new_height - size) // 2
    if stream is not None:
        left, top = (int(stream.integers(0, n - size + 1)) for n in (new_width, new_height))
    square = np.asarray(resized.crop((left, top, left + size, top + size)))
    return square[:, ::-1] if stream is not None and stream.random() < 0.5 else square


def composite(first: Concept, second: Concept, indices: tuple[int, int], size: int) -> np.ndarray:
    """Two concepts side by side, uint8 (size, size, 3), on the background of the first one.

    The background is the median color outside the first one's mask. A mask that is all true pastes
    the whole square of its photograph.

    Args:
        first: The concept on the left.
        second: The concept on the right.
        indices: Indices of their photographs.
        size: Side of the composite in pixels.
    """
    side = round(_COMPOSITE_SHARE * size)
    squares, masks = [], []
    for concept, index in ((first, indices[0]), (second, indices[1])):
        squares.append(squared(concept.images[index], side))
        mask = squared(concept.masks[index].astype(np.uint8) * 255, side)
        masks.append(mask > 127)
    outside = squares[0][~masks[0]]
    background = np.median(outside, 0) if len(outside) else squares[0].mean((0, 1))
    canvas = np.full((size, size, 3), background.astype(np.uint8))
    top = (size - side) // 2
    for left, square, mask in zip((0, size - side), squares, masks, strict=True):
        canvas[top : top + side, left : left + side][mask] = square[mask]
    return canvas

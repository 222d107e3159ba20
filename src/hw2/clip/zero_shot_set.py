"""The zero-shot test set as a zip of the course's layout: synthetic images, or the user's."""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from hw2.clip.images import ATTRIBUTES, FOLDER, GROUPS, LABELS, LabeledImages
from hw2.shapes import scenes, vocabulary

SEEN, UNSEEN = "trained pairs", "unseen pairs"
_DECODE_BATCH = 100  # images that are decoded at a time


def write(path: Path, test_set: scenes.TestSet) -> None:
    """Write a synthetic test set to the zip `path`.

    Its groups are the textures, and the pairs of color and shape that training images show or lack.
    The attributes of a class are its shape and its color.
    """
    names = {str(k): "_".join(pair) for k, pair in enumerate(vocabulary.CLASSES)}
    attributes = {
        str(k): {"shape": shape, "color": color}
        for k, (color, shape) in enumerate(vocabulary.CLASSES)
    }
    numbers = np.zeros(len(vocabulary.CLASSES), int)
    unseen = np.array([pair in vocabulary.HELD_OUT for pair in vocabulary.CLASSES])
    groups: dict[str, list[str]] = {name: [] for name in (*vocabulary.TEST_TEXTURES, SEEN, UNSEEN)}
    with zipfile.ZipFile(path, "w") as archive:
        _add(archive, LABELS, _json(names))
        _add(archive, ATTRIBUTES, _json(attributes))
        for image, k, texture in zip(
            test_set.images, test_set.classes, test_set.textures, strict=True
        ):
            file = f"{k}_{numbers[k]:03d}.png"
            numbers[k] += 1
            _add(archive, f"{FOLDER}/{file}", _png(image))
            groups[vocabulary.TEST_TEXTURES[texture]].append(file)
            groups[UNSEEN if unseen[k] else SEEN].append(file)
        _add(archive, GROUPS, _json({name: files for name, files in groups.items() if files}))


def write_images(
    path: Path, classes: Sequence[str], images: Iterable[tuple[int, np.ndarray]]
) -> None:
    """Write images, each an index into `classes` and pixels uint8 (H, W, 3), to the zip `path`."""
    numbers = [0] * len(classes)
    with zipfile.ZipFile(path, "w") as archive:
        _add(archive, LABELS, _json({str(k): name for k, name in enumerate(classes)}))
        for k, pixels in images:
            _add(archive, f"{FOLDER}/{k}_{numbers[k]:03d}.png", _png(pixels))
            numbers[k] += 1


def write_nothing(path: Path) -> None:
    """Write an empty zip."""
    with zipfile.ZipFile(path, "w"):
        pass


def copy(path: Path, images: LabeledImages, tick: Callable[[int], object]) -> None:
    """Decode every file of `images` to check it, and write the files unchanged to the zip `path`.

    Raises:
        UserError: naming the images that are damaged.
    """
    names = {str(k): name for k, name in zip(images.ids, images.classes, strict=True)}
    with zipfile.ZipFile(path, "w") as archive:
        _add(archive, LABELS, _json(names))
        for start in range(0, len(images), _DECODE_BATCH):
            rows = range(start, min(start + _DECODE_BATCH, len(images)))
            images.read(rows)
            for row in rows:
                _add(archive, f"{FOLDER}/{images.files[row]}", images.content(row))
            tick(len(rows))
        if images.groups:
            members = {
                name: [images.files[row] for row in np.flatnonzero(in_group)]
                for name, in_group in images.groups.items()
            }
            _add(archive, GROUPS, _json(members))
        if images.attributes:
            pairs = zip(*images.attributes.values(), strict=True)
            by_class = {
                str(k): dict(zip(images.attributes, pair, strict=True))
                for k, pair in zip(images.ids, pairs, strict=True)
            }
            _add(archive, ATTRIBUTES, _json(by_class))


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name), content)  # dated 1980: reproducible

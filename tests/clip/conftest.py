"""Small models and folders of images."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from hw2 import rng
from hw2.clip import open_clip_folder
from hw2.config import params

NAMES = {"0": "red_circle", "1": "blue_star", "2": "green_ring"}


def png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def course_layout(tmp_path: Path) -> Callable[..., Path]:
    """`course_layout(per_class, sizes)` writes a folder with id2label.json and val/."""

    def write(per_class: int = 2, sizes: tuple[tuple[int, int], ...] = ((32, 32),)) -> Path:
        folder = tmp_path / "images"
        (folder / "val").mkdir(parents=True)
        (folder / "id2label.json").write_text(json.dumps(NAMES))
        stream = np.random.Generator(np.random.PCG64(1))
        for k in range(len(NAMES)):
            for number in range(per_class):
                height, width = sizes[(k * per_class + number) % len(sizes)]
                pixels = stream.integers(0, 256, (height, width, 3), dtype=np.uint8)
                (folder / f"val/{k}_{450 + number}.png").write_bytes(png(pixels))
        return folder

    return write


@pytest.fixture
def tiny_folder(tmp_path: Path, mini: params.Params) -> Path:
    """An untrained small CLIP in open_clip's format."""
    design = open_clip_folder.design(mini.clip.network, mini.shapes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.derive(1, "tiny"))
        network = open_clip.CLIP(**design.model)
    path = tmp_path / "tiny"
    path.mkdir()
    open_clip_folder.save(path, network, design)
    return path

"""Stand-ins for photographs, and the small Stable Diffusion v1 of tests/stable_diffusion."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "stages"))  # for `running`
sys.path.insert(0, str(Path(__file__).parents[1] / "stable_diffusion"))
sys.path.insert(0, str(Path(__file__).parents[1] / "training"))  # for `in_processes`

from small_v1 import checkpoint, stable_diffusion, v1  # noqa: F401  (fixtures)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Stand-ins for photographs: three for each of the course's keys, of different sizes."""
    stream = np.random.Generator(np.random.PCG64(1))
    for key in ("0", "1", "cat"):
        folder = tmp_path / "photographs" / key
        folder.mkdir(parents=True)
        for number, size in enumerate(((80, 64), (64, 90), (70, 70))):
            pixels = stream.integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number:02d}.jpg", quality=90)
    return tmp_path / "photographs"

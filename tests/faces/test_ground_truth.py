"""Sampled images are compared with the ground truth as any other reader reads them."""

from pathlib import Path

import numpy as np
from PIL import Image

from hw2.faces import ground_truth


def test_found_06_08_hidden_files_are_skipped_and_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for name, pixels in (("truth", gray.astype(np.uint16) * 257), ("out", gray)):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "00.png")
    (tmp_path / "truth/._00.png").write_bytes(b"a resource fork of macOS")
    assert ground_truth.run(tmp_path / "out", tmp_path / "truth") == {"00": 0, "mean": 0}

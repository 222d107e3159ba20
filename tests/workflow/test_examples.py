"""The scripts of examples/ run on the results of a pipeline."""

import sys

import numpy as np
import pytest
from PIL import Image
from scratch import Scratch

pytestmark = pytest.mark.slow


def test_ten_digits_are_sampled_into_one_image(copy: Scratch) -> None:
    done = copy.run(sys.executable, "examples/sample_digits.py", "digits.png")
    assert done.code == 0, done.text
    with Image.open(copy.root / "digits.png") as image:
        assert image.size == (280, 28)


def test_every_image_of_a_folder_gets_a_digit(copy: Scratch) -> None:
    folder = copy.root / "photographs"
    folder.mkdir()
    for k in range(3):
        Image.fromarray(np.full((40, 30, 3), 80 * k, np.uint8)).save(folder / f"{k}.png")
    done = copy.run(sys.executable, "examples/predict_folder.py", str(folder))
    assert done.code == 0, done.text
    lines = [line.split() for line in done.text.splitlines() if ".png" in line]
    assert [name for name, _ in lines] == ["0.png", "1.png", "2.png"]
    assert all(digit in set("0123456789") for _, digit in lines)


def test_a_new_adaptation_method_trains_and_is_measured(copy: Scratch) -> None:
    done = copy.run(sys.executable, "examples/new_adaptation_method.py")
    assert done.code == 0, done.text
    assert "mnistm->usps, coral: accuracy 0." in done.text
    assert "n = 30" in done.text

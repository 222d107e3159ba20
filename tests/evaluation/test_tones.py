"""Shares of backgrounds and vivid pixels, computed by hand."""

import numpy as np
import pytest

from hw2.evaluation import tones


def test_backgrounds_are_counted_by_the_border_alone() -> None:
    images = np.empty((4, 28, 28, 3), np.uint8)
    for image, background in zip(images, (0, 100, 200, 255), strict=True):
        image[:] = background
        image[8:20, 8:20] = 255 - background  # the digit
    shares = tones.measure(images, images[:1])
    assert shares["background_dark"] == 0.25
    assert shares["background_medium"] == pytest.approx(0.25)
    assert shares["background_light"] == 0.5
    assert shares["background_dark_real"] == 1.0
    assert shares["vivid"] == 0.0


def test_a_pixel_is_vivid_if_its_channels_differ_by_more_than_half_of_the_range() -> None:
    images = np.zeros((1, 28, 28, 3), np.uint8)
    images[0, :7, :, 0] = 255  # red
    images[0, 7:14, :, 0] = 120  # dark red
    images[0, 14:21] = 255  # white
    assert tones.measure(images, images)["vivid"] == 0.25
    assert tones.measure(images, images)["vivid_real"] == 0.25

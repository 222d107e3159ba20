"""Shares of backgrounds and vivid pixels, computed by hand."""

import numpy as np
import pytest

from hw2.evaluation import tones


def test_backgrounds_are_counted_by_the_border_alone() -> None:
    images = np.empty((4, 28, 28, 3), np.uint8)
    for image, background in zip(images, (0, 100, 200, 255), strict=True):
        image[:] = background
        image[8:20, 8:20] = 255 - background  # the digit
    measured = tones.measure(images)
    shares = {name: record["share"] for name, record in measured.items()}
    assert shares == {
        "background_dark": 0.25,
        "background_medium": 0.25,
        "background_light": 0.5,
        "vivid": 0.0,
    }
    low, high = (measured["background_dark"][f"share_{end}"] for end in ("low", "high"))
    assert (low, high) == pytest.approx((0.0456, 0.6994), abs=1e-4)  # Wilson, 1 of 4
    assert measured["background_dark"]["n"] == 4


def test_a_pixel_is_vivid_if_its_channels_differ_by_more_than_half_of_the_range() -> None:
    images = np.zeros((2, 28, 28, 3), np.uint8)
    images[:, :7, :, 0] = 255  # red
    images[:, 7:14, :, 0] = 120  # dark red
    images[:, 14:21] = 255  # white
    vivid = tones.measure(images)["vivid"]
    assert vivid == {"share": 0.25, "share_low": 0.25, "share_high": 0.25, "n": 2}

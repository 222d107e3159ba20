"""Digits in the frames of MNIST and USPS."""

import numpy as np

from hw2 import rng
from hw2.digits.drawing import hands, handwriting

DIGITS = np.arange(200) % 10


def boxes(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height and width of the ink above a fifth, in pixels."""
    return (ink > 0.2).any(2).sum(1), (ink > 0.2).any(1).sum(1)


def test_mnist_like_digits_fill_twenty_pixels_around_their_center_of_mass() -> None:
    table = hands.table("mnistm", "val", 7, handwriting.MNIST_STYLE)
    ink = handwriting.mnist_like(table, DIGITS, rng.numpy_rng(7, "test"))
    assert ink.shape == (200, 28, 28)
    longer = np.maximum(*boxes(ink))
    assert 19 <= np.median(longer) <= 21
    assert longer.max() <= 23
    at = np.arange(28) + 0.5
    mass = ink.sum((1, 2))
    centers = np.stack([(ink.sum(1) @ at) / mass, (ink.sum(2) @ at) / mass])
    assert np.abs(centers - 14).mean() < 0.6


def test_usps_like_digits_fill_the_image_and_stand_upright() -> None:
    table = hands.table("usps", "val", 7, handwriting.USPS_STYLE)
    ink = handwriting.usps_like(table, DIGITS, rng.numpy_rng(7, "test"))
    assert (ink.min(), ink.max()) == (0, 1)
    assert np.median(np.maximum(*boxes(ink))) == 28
    y, x = np.mgrid[:28, :28]
    mass = ink.sum((1, 2))
    y = y - ((y * ink).sum((1, 2)) / mass)[:, None, None]
    x = x - ((x * ink).sum((1, 2)) / mass)[:, None, None]
    slant = (x * y * ink).sum((1, 2)) / (y * y * ink).sum((1, 2))
    assert np.abs(slant).mean() < 0.08


def test_digits_are_different() -> None:
    table = hands.table("usps", "val", 7, handwriting.USPS_STYLE)
    ink = handwriting.usps_like(table, DIGITS, rng.numpy_rng(7, "test"))
    assert len({image.tobytes() for image in ink}) == len(ink)

"""Synthetic faces: reproducible, varied, and with eyes, nose and mouth where they belong."""

import numpy as np
import pytest

from hw2.faces import synthetic


def test_a_face_does_not_depend_on_the_number_of_faces() -> None:
    many = synthetic.draw(70, 32, 7)
    assert many.dtype == np.uint8
    assert many.shape == (70, 32, 32, 3)
    np.testing.assert_array_equal(synthetic.draw(40, 32, 7), many[:40])
    assert (synthetic.draw(40, 32, 8) != many[:40]).mean() > 0.5


def test_every_two_faces_differ() -> None:
    faces = synthetic.draw(200, 32, 1).reshape(200, -1).astype(int)
    gaps = np.abs(faces[:, None, ::7] - faces[None, :, ::7]).mean(2)
    assert gaps[~np.eye(200, dtype=bool)].min() > 1


@pytest.mark.parametrize("size", [32, 64, 128])
def test_sizes_show_the_same_face(size: int) -> None:
    large = synthetic.draw(6, size, 2)
    small = synthetic.draw(6, 32, 2).astype(float)
    shrunk = large.reshape(6, 32, size // 32, 32, size // 32, 3).mean((2, 4))
    assert np.abs(shrunk - small).mean() < 4


def test_the_middle_of_a_face_is_nearly_symmetric() -> None:
    """Left and right differ by hair, position and shade, but less than two faces do."""
    faces = synthetic.draw(300, 32, 3).astype(float)
    middle = faces[:, 12:26, 8:24]
    mirrored = np.abs(middle - middle[:, :, ::-1]).mean()
    other_faces = np.abs(middle - np.roll(middle, 1, axis=0)).mean()
    assert mirrored < 0.5 * other_faces


def test_eyes_have_bright_and_dark_pixels() -> None:
    faces = synthetic.draw(300, 64, 4).astype(float).mean(3)
    band = faces[:, 22:40, 12:52]  # where eyes are, whatever the pose
    assert (band.max((1, 2)) > 230).mean() > 0.9
    assert (band.min((1, 2)) < 60).mean() > 0.9

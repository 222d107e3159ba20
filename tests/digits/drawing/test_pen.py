"""Anti-aliased lines."""

import numpy as np
import pytest

from hw2.digits.drawing import pen


@pytest.mark.parametrize("radius", [1.0, 2.5, 6.0])
def test_a_disc_has_its_area(radius: float) -> None:
    ink = pen.draw(np.full((1, 1, 2), 14.3), np.full((1, 1), radius), 28)
    assert ink.sum() == pytest.approx(np.pi * radius**2, rel=0.1)
    assert (ink.min(), ink.max()) == (0, 1)


@pytest.mark.parametrize("softness", [0.5, 1.5])
def test_a_vertical_line_has_its_width(softness: float) -> None:
    points = np.stack([np.full(60, 14.2), np.linspace(-1, 29, 60)], -1)[None]
    ink = pen.draw(points, np.full((1, 60), 1.7), 28, softness)
    np.testing.assert_allclose(ink.sum(2), 3.4, atol=0.25)


def test_an_image_does_not_depend_on_the_others() -> None:
    random = np.random.Generator(np.random.PCG64(1))
    points, radii = random.uniform(4, 24, (5, 9, 2)), random.uniform(0.5, 3, (5, 9))
    together = pen.draw(points, radii, 28)
    alone = pen.draw(points[3:4], radii[3:4], 28)
    np.testing.assert_array_equal(together[3:4], alone)

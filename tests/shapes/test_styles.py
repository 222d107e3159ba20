"""Styles change a whole image and keep what it shows readable."""

from dataclasses import replace

import numpy as np

from hw2.shapes import styles
from hw2.shapes.styles import Styles


def plain(**changes: object) -> Styles:
    """A single style that changes nothing, except for `changes`."""
    values = {
        "dark": [[0.0, 0, 0]], "light": [[1.0, 1, 1]], "tone": [0.0],
        "pattern": [styles.NO_PATTERN], "angle": [0.0], "period": [8.0], "strength": [1.0],
        "pattern_color": [[0.0, 0, 0]], "frame": [0.0], "frame_color": [[0.0, 0, 1]],
    }  # fmt: skip
    return Styles(**{name: np.array(value) for name, value in (values | changes).items()})


def test_a_style_without_amounts_changes_nothing() -> None:
    image = np.random.default_rng(1).random((1, 16, 16, 3)).astype(np.float32)
    np.testing.assert_allclose(styles.apply(plain(), image), image, atol=1e-6)


def test_tone_maps_black_and_white_to_its_colors() -> None:
    image = np.zeros((1, 2, 2, 3), np.float32)
    image[0, 0] = 1
    toned = styles.apply(plain(tone=[1.0], dark=[[0.2, 0, 0]], light=[[0, 0.9, 0]]), image)
    np.testing.assert_allclose(toned[0, 1, 0], [0.2, 0, 0], atol=1e-6)
    np.testing.assert_allclose(toned[0, 0, 0], [0, 0.9, 0], atol=1e-6)


def test_a_pattern_covers_its_share_at_any_size() -> None:
    for size in (64, 128):
        white = np.ones((1, size, size, 3), np.float32)
        hatched = styles.apply(plain(pattern=[styles.HATCHED], angle=[np.pi / 4]), white)
        assert abs((hatched < 0.5).mean() - 0.5) < 0.06


def test_a_frame_has_its_width_and_leaves_the_middle() -> None:
    white = np.ones((1, 64, 64, 3), np.float32)
    framed = styles.apply(plain(frame=[4.0]), white)[0]
    assert framed[0, 30].tolist() == [0, 0, 1]
    assert framed[3, 30].tolist() == [0, 0, 1]
    assert framed[6, 30].tolist() == [1, 1, 1]


def test_random_styles_differ_and_keep_dark_darker_than_light() -> None:
    drawn = styles.random_styles(np.random.default_rng(2), 50)
    assert (drawn.dark.max(1) <= drawn.light.min(1)).all()
    image = np.random.default_rng(3).random((1, 32, 32, 3)).astype(np.float32)
    images = styles.apply(drawn, image.repeat(50, 0))
    apart = np.abs(images[:, None] - images[None]).mean((2, 3, 4))
    assert (apart + np.eye(50) > 0.01).all()


def test_random_styles_share_a_few_patterns() -> None:
    drawn = styles.random_styles(np.random.default_rng(2), 2000)
    patterned = drawn[drawn.pattern != styles.NO_PATTERN]
    patterns = _pattern_of(patterned)
    assert len(np.unique(patterns, axis=0)) == 16
    colors = patterned.pattern_color
    assert len(np.unique(colors, axis=0)) == len(colors)


def _pattern_of(drawn: styles.Styles) -> np.ndarray:
    """Which pattern each style has, without its color and strength, bool (M, 32 * 32)."""
    images = np.ones((len(drawn), 32, 32, 3), np.float32)
    count = len(drawn)
    black_on_white = replace(
        drawn, light=np.ones((count, 3)), pattern_color=np.zeros((count, 3)),
        strength=np.ones(count), frame=np.zeros(count),
    )  # fmt: skip
    return styles.apply(black_on_white, images)[..., 0].reshape(count, -1) > 0.5

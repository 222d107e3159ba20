"""Rendering: outlines, textures, parts and the order of objects."""

import numpy as np
import pytest

from hw2.shapes import render, vocabulary
from hw2.shapes.outlines import distance
from hw2.shapes.records import concatenated
from hw2.shapes.render import Looks, Placement

NAMES = tuple(vocabulary.SHAPES)
RED, GREEN, BLUE = (np.array([color], np.float32) for color in np.eye(3))


def red(name: str, texture: int = render.PLAIN, **changes: object) -> Looks:
    """A red object with a blue texture, except for `changes`."""
    shape = np.array([tuple(vocabulary.SHAPES).index(name)])
    looks = vocabulary.named_looks(shape, RED, np.array([texture]), BLUE)
    return Looks(**{**vars(looks), **{k: np.array(v) for k, v in changes.items()}})


def at(
    position: tuple[float, float] = (0.0, 0.0), radius: float = 0.8, angle: float = 0.0
) -> Placement:
    """The place of a single object in image 0."""
    return Placement(np.array([0]), np.array([position]), np.array([radius]), np.array([angle]))


def rendered(looks: Looks, placement: Placement, size: int = 64) -> np.ndarray:
    """The image on gray: int (size, size, 3), 0 to 255."""
    images, _ = render.render(np.full((1, 3), 0.5, np.float32), looks, placement, size)
    return render.to_uint8(images)[0].astype(int)


@pytest.mark.parametrize("name", NAMES)
def test_an_outline_is_inside_its_radius_and_differs_from_all_others(name: str) -> None:
    inside = rendered(red(name), at())[..., 0] > 200
    assert 0.03 < inside.mean() < 0.6
    y, x = np.nonzero(inside)
    assert np.hypot((x + 0.5) / 32 - 1, (y + 0.5) / 32 - 1).max() < 0.8 * 1.2
    for other in set(NAMES) - {name}:
        assert ((rendered(red(other), at())[..., 0] > 200) != inside).mean() > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_distances_change_sign_at_the_outline_with_a_bounded_slope(name: str) -> None:
    ticks = np.linspace(-1.3, 1.3, 200, dtype=np.float32)
    x, y = (grid[None] for grid in np.meshgrid(ticks, ticks))
    d = distance(red(name).outline, x, y)[0]
    assert d.min() < 0 < d.max()
    near = (np.abs(d) < 0.05)[:, 1:]
    assert np.abs(np.diff(d, axis=1))[near].max() / (ticks[1] - ticks[0]) < 2.0


def test_a_pixel_at_an_edge_is_painted_by_the_share_that_is_covered() -> None:
    image = rendered(red("square"), at((1 / 64, 0.0), angle=np.pi / 4), 32)
    row = image[16, :, 1] / 127.5  # 1 outside, 0 inside
    half = 0.95 * np.cos(np.pi / 4) * 0.8
    assert (1 - row).sum() * 2 / 32 == pytest.approx(2 * half, abs=0.02)


@pytest.mark.parametrize(
    ("texture", "share"),
    [(render.STRIPED, 0.5), (render.DOTTED, 0.28), (render.CHECKED, 0.5), (render.RINGED, 0.5)],
)
def test_textures_cover_their_share_of_an_object(texture: int, share: float) -> None:
    image = rendered(red("circle", texture), at(radius=0.95), 256)
    y, x = np.mgrid[:256, :256] / 128 - 1
    inside = np.hypot(x, y) < 0.95 * 0.62
    assert (image[..., 2][inside] > 128).mean() == pytest.approx(share, abs=0.06)


def test_core_rim_and_highlight_are_where_they_should_be() -> None:
    image = rendered(red("circle", core=[0.3], core_color=GREEN), at())
    assert image[32, 32].tolist() == [0, 255, 0]
    assert image[32, 45].tolist() == [255, 0, 0]
    image = rendered(red("circle", rim=[0.2], rim_color=GREEN), at())
    assert image[32, 32].tolist() == [255, 0, 0]
    assert image[32, 54].tolist() == [0, 255, 0]
    image = rendered(red("circle", shading=[0.5]), at())
    assert image[24, 24, 1] > 60
    assert image[40, 40, 1] == 0


def test_the_coverage_is_that_of_all_objects() -> None:
    images, covered = render.render(np.zeros((2, 3), np.float32), red("circle"), at(), 32)
    assert (covered[0] > 0.5).sum() == (images[0, ..., 0] > 0.5).sum() > 100
    assert not covered[1].any()


def test_a_later_object_is_in_front() -> None:
    small = red("circle", fill=GREEN)
    image = rendered(
        concatenated([red("circle"), small]),
        concatenated([at(), at(radius=0.3)]),
    )
    assert image[32, 32].tolist() == [0, 255, 0]
    assert image[32, 12].tolist() == [255, 0, 0]


def test_objects_of_several_images_do_not_mix() -> None:
    placement = Placement(np.array([1, 0, 1]), np.zeros((3, 2)), np.full(3, 0.5), np.zeros(3))
    looks = concatenated([red("circle"), red("circle", fill=GREEN), red("star")])
    images, _ = render.render(np.zeros((2, 3), np.float32), looks, placement, 32)
    assert images[0, 16, 16].tolist() == [0, 1, 0]
    assert images[1, 16, 16].tolist() == [1, 0, 0]

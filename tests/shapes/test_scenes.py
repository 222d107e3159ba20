"""Synthetic images of shapes: each image shows what its caption describes."""

import re

import numpy as np
import pytest

from hw2.shapes import scenes, vocabulary
from hw2.shapes.outlines import DISTANCES
from hw2.shapes.render import DOTTED, KINDS, PLAIN, STRIPED, Objects, render

SEED = 3


@pytest.fixture(scope="module")
def training() -> scenes.CaptionedImages:
    return scenes.training(2000, 32, SEED)


def red_object(kind: str, texture: int = PLAIN, **values: object) -> Objects:
    """A red object in the middle of image 0, except for `values`."""
    defaults = {
        "image_index": [0], "kind": [KINDS.index(kind)], "position": [[0.0, 0.0]], "radius": [0.8],
        "angle": [0.0], "texture": [texture], "fill": [[1.0, 0.0, 0.0]], "ink": [[0.0, 0.0, 1.0]],
    }  # fmt: skip
    return Objects(**{name: np.array(value) for name, value in (defaults | values).items()})


def rendered(objects: Objects, size: int = 64) -> np.ndarray:
    return render(np.full((1, 3), 0.5), objects, size)[0].astype(int)


def test_training_images_show_no_held_out_pair(training: scenes.CaptionedImages) -> None:
    held_out = [" ".join(pair) for pair in vocabulary.HELD_OUT]
    assert len(held_out) == 6
    assert not [c for c in training.captions if any(pair in c for pair in held_out)]
    for pair in (("red", "circle"), ("green", "heart"), ("white", "heart")):
        assert any(" ".join(pair) in caption for caption in training.captions)


def test_captions_use_only_words_of_the_vocabulary(training: scenes.CaptionedImages) -> None:
    assert {word for caption in training.captions for word in caption.split()} <= set(
        vocabulary.vocabulary()
    )
    form = re.compile(
        r"(a photo of |a picture of |)an? [\w ]+?( (and|next to) an? [\w ]+?)?"
        r"( on a \w+ background)?"
    )
    assert all(form.fullmatch(caption) for caption in training.captions)
    counts = {
        "double": sum(" and " in c or " next to " in c for c in training.captions),
        "unnamed": sum(
            any(f" {n}" in f" {c}" for n in vocabulary.NOUNS) for c in training.captions
        ),
    }
    assert counts["double"] / 2000 == pytest.approx(scenes.DOUBLE, abs=0.04)
    assert counts["unnamed"] / 2000 == pytest.approx(1 - scenes.SINGLE - scenes.DOUBLE, abs=0.03)


def test_an_image_has_the_colors_that_its_caption_names(training: scenes.CaptionedImages) -> None:
    checked = 0
    for image, caption in zip(training.images, training.captions, strict=True):
        match = re.search(r"plain (\w+) circle on a (\w+) background$", caption)
        if match is None or " and " in caption or "next" in caption:
            continue
        corner = image[0, 0] / 255
        assert corner == pytest.approx(vocabulary.BACKGROUNDS[match[2]], abs=0.16)
        near = np.abs(image / 255 - vocabulary.COLORS[match[1]]).max(-1) < 0.2
        assert near.mean() > 0.1
        checked += 1
    assert checked >= 3


def test_the_object_named_first_is_on_the_left(training: scenes.CaptionedImages) -> None:
    checked = 0
    for image, caption in zip(training.images, training.captions, strict=True):
        match = re.search(r"plain (\w+) \w+ (?:and|next to) an? plain (\w+)", caption)
        if match is None or match[1] == match[2]:
            continue
        for name, half in ((match[1], image[:, :16]), (match[2], image[:, 16:])):
            near = np.abs(half / 255 - vocabulary.COLORS[name]).max(-1) < 0.2
            assert near.mean() > 0.03
        checked += 1
    assert checked >= 3


def test_the_first_images_do_not_depend_on_the_number_of_images(
    training: scenes.CaptionedImages,
) -> None:
    fewer = scenes.training(700, 32, SEED)
    assert np.array_equal(fewer.images, training.images[:700])
    assert fewer.captions == training.captions[:700]
    assert scenes.training(700, 32, SEED + 1).captions != fewer.captions


def test_the_test_set_is_balanced_and_shares_no_image_with_another_split() -> None:
    test_set = scenes.test_set("test", 3, 32, SEED)
    assert len(vocabulary.CLASSES) == 48
    assert np.array_equal(np.bincount(test_set.classes), np.full(48, 3))
    assert test_set.images.shape == (144, 32, 32, 3)
    other = scenes.test_set("val", 3, 32, SEED)
    assert not (test_set.images == other.images).all((1, 2, 3)).any()
    assert np.array_equal(test_set.images, scenes.test_set("test", 3, 32, SEED).images)
    assert set(vocabulary.HELD_OUT) <= set(vocabulary.CLASSES)


@pytest.mark.parametrize("kind", KINDS)
def test_an_outline_is_inside_its_radius_and_differs_from_all_others(kind: str) -> None:
    image = rendered(red_object(kind))
    red = image[..., 0] > 200
    assert 0.03 < red.mean() < 0.6
    y, x = np.nonzero(red)
    assert np.hypot((x + 0.5) / 32 - 1, (y + 0.5) / 32 - 1).max() < 0.8 * 1.2
    for other in set(KINDS) - {kind}:
        assert ((rendered(red_object(other))[..., 0] > 200) != red).mean() > 0.01


def test_signed_distances_change_sign_at_the_outline_with_a_bounded_slope() -> None:
    ticks = np.linspace(-1.3, 1.3, 200, dtype=np.float32)
    x, y = np.meshgrid(ticks, ticks)
    step = float(ticks[1] - ticks[0])
    for name, distance in DISTANCES.items():
        d = distance(x[None], y[None])[0]
        assert d.min() < 0 < d.max()
        near = (np.abs(d) < 0.05)[:, 1:]
        steepest = np.abs(np.diff(d, axis=1))[near].max() / step
        assert steepest < (2.8 if name == "flower" else 1.1), name


def test_a_pixel_at_an_edge_is_painted_by_the_share_that_is_covered() -> None:
    image = rendered(red_object("square", radius=[0.8], position=[[1 / 64, 0.0]]), 32)
    row = image[16, :, 1] / 127.5  # 1 outside, 0 inside
    inside = (1 - row).sum() * 2 / 32
    assert inside == pytest.approx(2 * 0.78 * 0.8, abs=0.01)


@pytest.mark.parametrize(("texture", "share"), [(STRIPED, 0.5), (DOTTED, 0.28)])
def test_textures_cover_their_share_of_an_object(texture: int, share: float) -> None:
    period = round(0.62 * 0.8 / 2 * 128)  # pixels
    inside = rendered(red_object("square", texture), 128)[64 - period : 64 + period, 64 - period :]
    assert inside[:, : 2 * period, 2].mean() / 255 == pytest.approx(share, abs=0.03)


def test_a_later_object_is_in_front() -> None:
    small = red_object("circle", radius=[0.3], fill=[[0.0, 1.0, 0.0]])
    pairs = zip(vars(red_object("circle")).items(), vars(small).values(), strict=True)
    both = Objects(**{name: np.concatenate([first, second]) for (name, first), second in pairs})
    image = rendered(both)
    assert image[32, 32].tolist() == [0, 255, 0]
    assert image[32, 12].tolist() == [255, 0, 0]


def test_image_sizes_show_the_same_scenes() -> None:
    small, large = (scenes.training(20, size, SEED) for size in (32, 64))
    assert small.captions == large.captions
    halved = large.images.reshape(20, 32, 2, 32, 2, 3).astype(float).mean((2, 4))
    assert np.abs(halved - small.images).mean() < 4

"""Synthetic scenes: each image shows what its caption describes."""

import re

import numpy as np
import pytest

from hw2.config import params
from hw2.shapes import scenes, vocabulary

NOUNS, STYLES = 50, 10


@pytest.fixture(scope="module")
def shapes() -> params.Shapes:
    return params.Shapes(
        seed=3, image_size=32, train_images=2000, num_nouns=NOUNS, num_styles=STYLES,
        test_images_per_class=3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def training(shapes: params.Shapes) -> scenes.CaptionedImages:
    return scenes.training(shapes)


def test_training_images_show_no_held_out_pair(training: scenes.CaptionedImages) -> None:
    held_out = [" ".join(pair) for pair in vocabulary.HELD_OUT]
    assert not [
        c for c in training.captions if any(re.search(rf"\b{pair}\b", c) for pair in held_out)
    ]
    for pair in (("red", "circle"), ("green", "heart"), ("white", "heart")):
        assert any(" ".join(pair) in caption for caption in training.captions)


def test_captions_use_only_words_of_the_vocabulary(training: scenes.CaptionedImages) -> None:
    words = {word for caption in training.captions for word in caption.split()}
    assert words <= set(vocabulary.words(NOUNS, STYLES))
    assert set(vocabulary.nouns(NOUNS)) <= words
    assert set(vocabulary.style_names(STYLES)) <= words


def test_images_of_one_noun_are_marked(training: scenes.CaptionedImages) -> None:
    nouns = "|".join(vocabulary.nouns(NOUNS))
    prefixes = "|".join(filter(None, vocabulary.PREFIXES))
    form = rf"(?:(?:{prefixes}) )?an? (?:{nouns})(?: on a \w+ background)?"
    expected = [re.fullmatch(form, caption) is not None for caption in training.captions]
    assert training.of_one_noun.tolist() == expected
    assert 0 < sum(expected) < len(expected)


def test_an_image_has_the_colors_that_its_caption_names(training: scenes.CaptionedImages) -> None:
    checked = 0
    for image, caption in zip(training.images, training.captions, strict=True):
        match = re.fullmatch(r".*a plain (\w+) circle on a (\w+) background", caption)
        if match is None or " and " in caption or "next" in caption or "above" in caption:
            continue
        assert image[0, 0] / 255 == pytest.approx(vocabulary.BACKGROUNDS[match[2]], abs=0.16)
        near = np.abs(image / 255 - vocabulary.COLORS[match[1]]).max(-1) < 0.2
        assert near.mean() > 0.1
        checked += 1
    assert checked >= 3


def test_the_object_named_first_is_on_the_left_or_above(training: scenes.CaptionedImages) -> None:
    checked = {"left": 0, "above": 0}
    form = (
        r"(?:a photo of |a picture of |)an? plain (\w+) \w+ (and|next to|above) an? plain (\w+) \w+"
    )
    for image, caption in zip(training.images, training.captions, strict=True):
        match = re.fullmatch(form + r"(?: on a \w+ background)?", caption)
        if match is None or match[1] == match[3]:
            continue
        where = "above" if match[2] == "above" else "left"
        first, second = np.split(image, 2, axis=0 if where == "above" else 1)
        for name, half in ((match[1], first), (match[3], second)):
            near = np.abs(half / 255 - vocabulary.COLORS[name]).max(-1) < 0.2
            assert near.mean() > 0.03, caption
        checked[where] += 1
    assert checked["left"] >= 2


def test_the_first_images_do_not_depend_on_the_number_of_images(
    shapes: params.Shapes, training: scenes.CaptionedImages
) -> None:
    fewer = scenes.training(shapes.model_copy(update={"train_images": 700}))
    assert np.array_equal(fewer.images, training.images[:700])
    assert fewer.captions == training.captions[:700]
    other = scenes.training(shapes.model_copy(update={"train_images": 700, "seed": 4}))
    assert other.captions != fewer.captions


def test_image_sizes_show_the_same_scenes(shapes: params.Shapes) -> None:
    small, large = (
        scenes.training(shapes.model_copy(update={"train_images": 20, "image_size": size}))
        for size in (32, 64)
    )
    assert small.captions == large.captions
    halved = large.images.reshape(20, 32, 2, 32, 2, 3).astype(float).mean((2, 4))
    assert np.abs(halved - small.images).mean() < 5


def test_a_world_without_nouns_and_styles_has_neither(shapes: params.Shapes) -> None:
    bare = scenes.training(
        shapes.model_copy(update={"train_images": 300, "num_nouns": 0, "num_styles": 0})
    )
    words = {word for caption in bare.captions for word in caption.split()}
    assert words <= set(vocabulary.words(0, 0))
    assert "style" not in words


def test_with_own_styles_only_styles_and_their_name_are_others(
    shapes: params.Shapes, training: scenes.CaptionedImages
) -> None:
    own = scenes.training(shapes, own_styles=True)
    styled = np.array([" in the style of " in caption for caption in training.captions])
    assert 0.1 < styled.mean() < 0.3
    assert np.array_equal(own.images[~styled], training.images[~styled])
    first = vocabulary.style_names(STYLES)[0]
    assert own.captions == [
        f"{caption.rsplit(' ', 1)[0]} {first}" if in_style else caption
        for caption, in_style in zip(training.captions, styled, strict=True)
    ]
    assert len(np.unique(own.styles.dark[styled], axis=0)) == styled.sum()
    assert len(np.unique(training.styles.dark[styled], axis=0)) == STYLES


def test_the_test_set_is_balanced_and_shares_no_image_with_another_split() -> None:
    test_set = scenes.test_set("test", 3, 32, 3)
    assert np.array_equal(np.bincount(test_set.classes), np.full(48, 3))
    assert test_set.images.shape == (144, 32, 32, 3)
    assert set(test_set.textures) == {0, 1, 2}
    other = scenes.test_set("val", 3, 32, 3)
    assert not (test_set.images == other.images).all((1, 2, 3)).any()
    assert np.array_equal(test_set.images, scenes.test_set("test", 3, 32, 3).images)

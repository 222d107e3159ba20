"""The words of captions: each has one meaning, and the meaning never changes."""

import numpy as np

from hw2.shapes import vocabulary


def test_words_are_distinct_and_more_words_keep_the_first() -> None:
    words = vocabulary.words(vocabulary.MAX_NOUNS, vocabulary.MAX_STYLES)
    assert len(set(words)) == len(words) > 3200
    assert vocabulary.nouns(20) == vocabulary.nouns(500)[:20]
    assert all(word.isascii() and word.islower() and word.isalpha() for word in words)


def test_a_noun_means_the_same_whatever_their_number_is() -> None:
    few, many = vocabulary.noun_looks(10), vocabulary.noun_looks(200)
    for name, value in vars(few).items():
        if name != "outline":
            np.testing.assert_array_equal(value, vars(many)[name][:10])
    styles = vocabulary.style_meanings(5)
    np.testing.assert_array_equal(styles.dark, vocabulary.style_meanings(50).dark[:5])


def test_second_colors_can_be_told_from_the_fill() -> None:
    looks = vocabulary.noun_looks(1000)
    apart = np.linalg.norm(looks.fill - looks.texture_color, axis=1)
    assert (apart > 0.6).mean() > 0.99


def test_held_out_pairs_are_classes_of_the_test_set() -> None:
    assert set(vocabulary.HELD_OUT) <= set(vocabulary.CLASSES)
    assert vocabulary.is_held_out().sum() == len(vocabulary.HELD_OUT) == 6
    assert len(vocabulary.CLASSES) == 48


def test_articles() -> None:
    assert vocabulary.with_article("orange star") == "an orange star"
    assert vocabulary.with_article("heart") == "a heart"

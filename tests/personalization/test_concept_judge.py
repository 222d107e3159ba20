"""The classifier of the synthetic concepts."""

import numpy as np
import pytest

from hw2.personalization import concept_judge
from hw2.personalization.synthetic import ENGRAVING, FLOWER, KEYS, SHIELD

pytestmark = pytest.mark.slow


def test_renderings_depend_on_the_split_and_the_seed_only() -> None:
    first = concept_judge.renderings("train", 20, 32, 1)
    again = concept_judge.renderings("train", 20, 32, 1)
    other = concept_judge.renderings("test", 20, 32, 1)
    assert first.images.shape == (20, 32, 32, 3)
    assert first.images.dtype == np.uint8
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.shown, again.shown)
    assert not np.array_equal(first.images, other.images)


def test_each_concept_is_shown_in_a_part_of_the_renderings() -> None:
    shares = concept_judge.renderings("train", 400, 32, 1).shown.mean(0)
    assert shares.shape == (len(KEYS),)
    assert (shares > 0.1).all()
    assert (shares < 0.5).all()


@pytest.mark.parametrize("keys", [(FLOWER,), (ENGRAVING,), (FLOWER, SHIELD), (FLOWER, ENGRAVING)])
def test_photographs_show_their_concepts(keys: tuple[str, ...]) -> None:
    """Red and blue stand apart in the flower and in the engraving, each in its own direction."""
    images = concept_judge.photographs(keys, 6, 64, 1).astype(int)
    assert images.shape == (6, 64, 64, 3)
    assert np.array_equal(images, concept_judge.photographs(keys, 6, 64, 1))
    left, right = images[:, :, :32], images[:, :, 32:]
    teal = (left[..., 1] - left[..., 0] > 60).mean((1, 2))
    pink = (right[..., 0] - right[..., 1] > 100).mean((1, 2))
    if ENGRAVING in keys:  # its dark and light colors are brown and cream
        assert (images[..., 0].mean((1, 2)) > images[..., 2].mean((1, 2)) + 15).all()
    if keys[0] == FLOWER and ENGRAVING not in keys:
        assert (teal > 0.02).all()
    assert ((pink > 0.02) == (SHIELD in keys)).all()


def test_a_short_training_beats_the_better_constant_answer() -> None:
    """On renderings of another stream, for every concept."""
    judge = concept_judge.train_judge(1000, 32, 1)
    unseen = concept_judge.renderings("test", 400, 32, 1)
    correct = (concept_judge.shown_in(judge, unseen.images) == unseen.shown).mean(0)
    constant = np.maximum(unseen.shown.mean(0), 1 - unseen.shown.mean(0))
    assert (correct > constant + 0.03).all(), (correct, constant)

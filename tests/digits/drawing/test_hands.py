"""Hands: their own, consistent, and in one split and one domain only."""

from dataclasses import replace
from itertools import combinations

import numpy as np

from hw2 import rng
from hw2.digits.drawing import hands
from hw2.digits.drawing.hands import Hands, Style
from hw2.digits.labels import SPLITS

STYLE = Style(slant=(0.2, 0.2), pen=(0.2, 0.2))


def one(table: Hands, who: int) -> Hands:
    return Hands(**{name: value[who : who + 1] for name, value in vars(table).items()})


def test_no_hand_is_in_two_splits_or_domains() -> None:
    tables = [hands.table(domain, split, 7, STYLE) for domain in ("a", "b") for split in SPLITS]
    for first, second in combinations(tables, 2):
        assert not np.isin(first.deviation, second.deviation).any()


def test_the_seed_makes_the_hands() -> None:
    first, again, other = (hands.table("a", "val", seed, STYLE) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.deviation, again.deviation)
    assert not np.array_equal(first.slant, other.slant)


def test_a_hand_is_more_like_itself_than_like_another() -> None:
    table = hands.table("a", "val", 7, STYLE)
    random = rng.numpy_rng(7, "test")
    threes = np.full(60, 3)
    mine, other = (hands.write(one(table, who), threes, random)[0] for who in (0, 1))
    within = (mine - mine.mean(0)).std() + (other - other.mean(0)).std()
    assert np.abs(mine.mean(0) - other.mean(0)).mean() > 0.3 * within


def test_a_hand_writes_mostly_its_preferred_form() -> None:
    table = one(hands.table("a", "val", 7, STYLE), 0)
    steady = replace(table, form=np.zeros_like(table.form))
    barred = replace(table, form=np.full_like(table.form, 4))  # the seven with a bar
    for chosen, share in ((steady, (0, 0.1)), (barred, (0.75, 1))):
        points, _ = hands.write(chosen, np.full(300, 7), rng.numpy_rng(7, "sevens"))
        # The bar comes last and crosses the stem, so that the pen goes up to reach it.
        up = (points[:, :-1, 1] - points[:, 1:, 1]).max(1) > 0.25
        assert share[0] <= up.mean() <= share[1]


def test_pens_keep_their_width_above_zero() -> None:
    table = hands.table("a", "train", 7, STYLE)
    points, radii = hands.write(table, np.arange(500) % 10, rng.numpy_rng(7, "pens"))
    assert np.isfinite(points).all()
    assert 0.3 < radii.min() < radii.max() < 4


def test_careless_hands_deviate_more() -> None:
    neat, careless = (
        hands.table("a", "val", 7, replace(STYLE, carelessness=(mean, 0.0))) for mean in (0.0, 0.7)
    )
    np.testing.assert_allclose(careless.deviation, np.exp(0.7) * neat.deviation)
    lines = [
        hands.write(one(t, 0), np.full(60, 3), rng.numpy_rng(7, "x"))[0] for t in (neat, careless)
    ]
    assert lines[1].std(0).mean() > 1.2 * lines[0].std(0).mean()

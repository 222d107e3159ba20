"""The spread between trainings and its interval, by hand."""

import numpy as np
import pytest

from hw2.evaluation import outcomes, training_spread
from hw2.evaluation.headline import Number
from hw2.evaluation.training_spread import Spread, half_width


def number(value: float, name: str = "a") -> Number:
    return Number(name, value, 0.0, 1.0, 10, 1)


def of_trainings(*hits: int) -> Number:
    """An accuracy on 10 items of several trainings, each right on its first `hits` items."""
    right = np.arange(10) < np.array(hits)[:, None]
    read = outcomes.from_record(outcomes.encoded(right, "items")["outcomes"])
    return Number("a", float(right.mean()), 0.0, 1.0, 10, 1, read)


def test_the_spread_over_runs() -> None:
    runs = [[number(0.1), number(5, "b")], [number(0.2)], [number(0.3)]]
    assert training_spread.measure(runs) == {"a": Spread(pytest.approx(0.1), 3)}
    assert training_spread.measure([[of_trainings(4, 6)], [number(0.8)]]) == {
        "a": Spread(pytest.approx(np.std([0.4, 0.6, 0.8], ddof=1)), 3)
    }
    assert training_spread.measure([[number(0.1)]]) == {}


@pytest.mark.parametrize(
    ("first", "second", "recorded", "expected"),
    [
        # Two trainings whose difference has the deviation sqrt(2) 0.1; t is 2.7764 with 4 degrees.
        (number(0.1), number(0.2), Spread(0.1, 5), 2.7764 * 0.1 * 2**0.5),
        # 0.4 and 0.6 have the deviation 0.1414, and t is 12.706 with 1; means of 2 and of 1.
        (of_trainings(4, 6), number(0.2), None, 12.706 * 0.1414 * 1.5**0.5),
        # Pooled: (0.02 + 4 * 0.01) / 5 with 5 degrees, t = 2.5706.
        (of_trainings(4, 6), number(0.2), Spread(0.1, 5), 2.5706 * 0.012**0.5 * 1.5**0.5),
        (number(0.1), number(0.2), Spread(0.0, 5), 0.0),
    ],
)
def test_half_width_by_hand(
    first: Number, second: Number, recorded: Spread | None, expected: float
) -> None:
    assert half_width(first, second, recorded) == pytest.approx(expected, rel=1e-3)
    assert half_width(second, first, recorded) == pytest.approx(expected, rel=1e-3)


def test_a_number_that_was_not_measured_has_the_spread_of_its_kind() -> None:
    recorded = {
        "dann.a->b.mcc.accuracy": Spread(0.03, 6), "dann.a->b.dann.accuracy": Spread(0.01, 4),
        "ddpm.b.accuracy": Spread(0.5, 6), "dann.a->b.mcc.recall": Spread(0.5, 6),
    }  # fmt: skip
    assert training_spread.known("dann.a->b.mcc.accuracy", recorded) == Spread(0.03, 6)
    # By hand: the mean of 0.0009 and 0.0001 is 0.0005.
    alike = training_spread.known("dann.a->c.cdan.accuracy", recorded)
    assert alike == Spread(pytest.approx(0.0005**0.5), 4)
    assert training_spread.known("judge.b.accuracy", recorded) is None


def test_single_trainings_have_no_known_spread() -> None:
    assert half_width(number(0.1), of_trainings(3), None) is None


def test_reruns_are_rarely_called_different() -> None:
    """Of recipes with the same mean, about 5 % of the intervals exclude 0."""
    random = np.random.default_rng(4)
    outside = 0
    for _ in range(2000):
        *others, first, second = random.normal(0.5, 0.02, 6)
        (spread,) = training_spread.measure([[number(v)] for v in others]).values()
        half = half_width(number(first), number(second), spread)
        outside += abs(second - first) > (half or 0)
    assert 0.035 < outside / 2000 < 0.065


def test_the_record_is_read_as_it_was_written() -> None:
    spreads = {"a": Spread(0.1, 3), "b": Spread(0.0, 2)}
    assert training_spread.from_record(training_spread.to_record(spreads)) == spreads
    for record in ([], {"a": 3}, {"a": {"deviation": 1.0}}):
        with pytest.raises(ValueError, match="not a record of spreads"):
            training_spread.from_record(record)

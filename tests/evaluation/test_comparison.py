"""Verdicts about two runs agree with intervals that were computed by hand."""

import numpy as np
import pytest

from hw2.evaluation import outcomes
from hw2.evaluation.comparison import Difference, Verdict, compare
from hw2.evaluation.headline import Number
from hw2.evaluation.intervals import proportion
from hw2.evaluation.training_spread import Spread


def number(value: float, low: float | None, high: float | None, better: int = 1) -> Number:
    return Number("a", value, low, high, 1000, better)


def difference(first: Number, second: Number) -> Difference:
    (result,) = compare([first], [second])
    return result


def test_newcombe_s_example() -> None:
    """Newcombe (1998), table II, method 10: 56/70 and 48/80 give 0.0524 to 0.3339."""
    first, second = number(48 / 80, 0.4904, 0.7004), number(56 / 70, 0.6921, 0.8770)
    result = difference(first, second)
    assert result.value == pytest.approx(0.2)
    assert result.low == pytest.approx(0.0524, abs=1e-3)
    assert result.high == pytest.approx(0.3339, abs=1e-3)
    assert result.verdict is Verdict.BETTER


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        # By hand: .957 - .951 = .006, down hypot(.0142, .0117) = .0184: includes 0.
        (number(0.957, 0.9428, 0.9678), Verdict.UNCLEAR),
        # .990 - .951 = .039, down hypot(.0083, .0117) = .0143: .0247 > 0.
        (number(0.990, 0.9817, 0.9946), Verdict.BETTER),
        # .900 - .951 = -.051, up hypot(.0171, .0152) = .0229: -.0281 < 0.
        (number(0.900, 0.8799, 0.9171), Verdict.WORSE),
        (number(0.951, 0.90, 0.99), Verdict.SAME),
        (number(0.990, None, None), Verdict.NO_INTERVAL),
        (number(0.990, 0.9817, 0.9946, better=-1), Verdict.WORSE),
        (number(0.990, 0.9817, 0.9946, better=0), Verdict.DIFFERENT),
    ],
)
def test_verdicts(second: Number, verdict: Verdict) -> None:
    assert difference(number(0.951, 0.9358, 0.9627), second).verdict is verdict


def test_a_number_of_one_run_only_has_no_difference() -> None:
    other = Number("b", 0.5, None, None, None, 1)
    results = compare([number(0.5, 0.4, 0.6)], [other])
    assert [(result.name, result.verdict) for result in results] == [
        ("b", Verdict.ONLY_SECOND), ("a", Verdict.ONLY_FIRST),
    ]  # fmt: skip
    assert all(result.value is None for result in results)


def accuracy(right: np.ndarray, items: str = "test split") -> Number:
    """The accuracy of bool (N,), with its outcomes."""
    share = proportion(right)
    read = outcomes.from_record(outcomes.encoded(right, items)["outcomes"])
    return Number("a", share.value, share.low, share.high, share.n, 1, read)


FIRST = np.arange(1000) < 900
SECOND = FIRST.copy()
SECOND[900:917] = True  # right on 17 more items
SECOND[:3] = False  # and wrong on 3 others: 0.914


def test_runs_on_the_same_items_are_compared_item_by_item() -> None:
    result = difference(accuracy(FIRST), accuracy(SECOND))
    assert result.paired
    # Exact binomial, by hand: twice the chance of at most 3 of 20, (1 + 20 + 190 + 1140) / 2^20.
    assert result.p == pytest.approx(2 * 1351 / 2**20)
    # By hand: Wilson 0.9 from 0.8799 to 0.9171, 0.914 from 0.8950 to 0.9298. 897 * 83 - 17 * 3,
    # less 500, over sqrt(900 * 100 * 914 * 86): phi = 0.8786.
    assert result.low == pytest.approx(0.0049, abs=1e-4)
    assert result.high == pytest.approx(0.0238, abs=1e-4)
    assert result.verdict is Verdict.BETTER


@pytest.mark.parametrize(
    "second", [accuracy(SECOND, "others"), accuracy(SECOND[:-1]), number(0.914, 0.8950, 0.9298)]
)
def test_runs_on_other_items_are_independent(second: Number) -> None:
    result = difference(accuracy(FIRST), second)
    assert (result.paired, result.p) == (False, None)
    assert result.low is not None
    assert result.low < 0
    assert result.verdict is Verdict.UNCLEAR


def test_the_interval_and_mcnemar_s_test_have_to_agree() -> None:
    """5 items gained and none lost: the interval excludes 0, but p = 2 / 2^5 = 0.0625."""
    first = np.arange(400) < 200
    result = difference(accuracy(first), accuracy(np.arange(400) < 205))
    assert result.p == pytest.approx(0.0625)
    assert result.low is not None
    assert result.low > 0
    assert result.verdict is Verdict.UNCLEAR


def test_a_spread_between_trainings_widens_the_interval() -> None:
    """t with 4 degrees of freedom is 2.7764, so the trainings add 2.7764 * 0.01 * sqrt(2)."""
    alone = difference(accuracy(FIRST), accuracy(SECOND))
    (result,) = compare([accuracy(FIRST)], [accuracy(SECOND)], {"a": Spread(0.01, 5)})
    assert (alone.trainings, result.trainings) == (False, True)
    assert alone.low is not None
    assert result.low == pytest.approx(0.014 - np.hypot(0.014 - alone.low, 0.03926), abs=1e-5)
    assert result.verdict is Verdict.UNCLEAR


def test_a_number_without_interval_is_judged_by_the_spread_between_trainings() -> None:
    first, second = number(0.90, None, None), number(0.95, None, None)
    assert difference(first, second).verdict is Verdict.NO_INTERVAL
    for deviation, verdict in (
        (0.01, Verdict.BETTER), (0.02, Verdict.UNCLEAR), (0.0, Verdict.NO_INTERVAL),
    ):  # fmt: skip
        (result,) = compare([first], [second], {"a": Spread(deviation, 5)})
        assert result.verdict is verdict


def test_several_trainings_in_a_run_give_their_spread() -> None:
    """Means of 0.5 and 0.7; in each run 0.2 apart: pooled deviation 0.1414, t is 4.303."""
    first = accuracy_of_trainings(4, 6)
    second = accuracy_of_trainings(6, 8)
    result = difference(first, second)
    assert (result.paired, result.trainings, result.p) == (True, True, None)
    # Items: 0, 0.5, 0.5, 0.5 and 0.5 at items 4 to 7 and 0 elsewhere.
    items = 1.96 * np.std([0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0, 0], ddof=1) / 10**0.5
    assert result.high == pytest.approx(0.2 + np.hypot(items, 4.303 * 0.1414), abs=1e-3)


def accuracy_of_trainings(*hits: int) -> Number:
    right = np.arange(10) < np.array(hits)[:, None]
    read = outcomes.from_record(outcomes.encoded(right, "items")["outcomes"])
    return Number("a", float(right.mean()), 0.2, 0.9, 10, 1, read)

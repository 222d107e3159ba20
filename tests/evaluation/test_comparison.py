"""Verdicts about two runs agree with intervals that were computed by hand."""

import pytest

from hw2.evaluation.comparison import Difference, Verdict, compare
from hw2.evaluation.headline import Number


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

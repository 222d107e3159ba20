"""Claims are judged by intervals, and a flipped number flips the verdict."""

from pathlib import Path

import pytest

from hw2.evaluation import claims
from hw2.evaluation.claims import Claim, Verdict
from hw2.runtime.errors import UserError

RECORD = {
    "0.5": {"a": 0.9, "a_low": 0.88, "a_high": 0.92, "n": 500},
    "b": 0.7, "b_low": 0.66, "b_high": 0.74, "n": 400,
    "plain": 1.0,
}  # fmt: skip


def claim(**values: object) -> Claim:
    settings = {"claim": "c", "source": "s", "record": "r", "value": "0.5.a", "than": "b"}
    return Claim.model_validate(settings | {"relation": "higher"} | values)


def verdict(record: dict[str, object], **values: object) -> Verdict:
    (finding,) = claims.judge([claim(**values)], {"r": record})
    return finding.verdict


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Verdict.HOLDS),
        ({"relation": "lower"}, Verdict.FAILS),
        ({"than": 0.8}, Verdict.HOLDS),
        ({"than": 0.9}, Verdict.UNCLEAR),
        ({"than": 0.95}, Verdict.FAILS),
        # By hand: .9 - .7 = .2, and down hypot(.02, .04) = .045.
        ({"value": "b", "than": "0.5.a", "relation": "lower"}, Verdict.HOLDS),
    ],
)
def test_verdicts(values: dict[str, object], expected: Verdict) -> None:
    assert verdict(RECORD, **values) is expected


def test_a_flipped_number_flips_the_verdict() -> None:
    flipped = RECORD | {"0.5": {"a": 0.5, "a_low": 0.46, "a_high": 0.54, "n": 500}}
    assert verdict(RECORD) is Verdict.HOLDS
    assert verdict(flipped) is Verdict.FAILS
    wide = RECORD | {"0.5": {"a": 0.71, "a_low": 0.5, "a_high": 0.9, "n": 5}}
    assert verdict(wide) is Verdict.UNCLEAR


def test_a_claim_about_what_was_not_measured_is_left_out() -> None:
    assert claims.judge([claim(value="c"), claim(record="x")], {"r": RECORD}) == []


def test_another_record_may_be_compared_with() -> None:
    (finding,) = claims.judge([claim(than_record="x")], {"r": RECORD, "x": RECORD})
    assert finding.verdict is Verdict.HOLDS


def test_a_measurement_without_interval_has_no_verdict() -> None:
    assert verdict(RECORD, value="plain") is Verdict.NO_INTERVAL


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text("- {claim: a, source: b, record: r, value: v, relation: above, than: 0}")
    with pytest.raises(UserError, match=r"claims\.yaml: claims\.0: 'above' is not allowed"):
        claims.read(path)

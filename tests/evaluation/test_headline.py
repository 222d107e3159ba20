"""Headline numbers are found in the records of a run, with their intervals."""

import json
from pathlib import Path

import pytest

from hw2.evaluation import headline
from hw2.evaluation.headline import Number
from hw2.evaluation.outcomes import Outcomes

DETAILS = Path(__file__).parents[2] / "results/details"
SHARE = {"accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6, "n": 100}


def test_a_wildcard_gives_a_number_for_each_match() -> None:
    pairs = {"a->b": {"dann": SHARE, "mcc": SHARE | {"accuracy": 0.45}}, "a->c": {"dann": SHARE}}
    numbers = headline.collect({"dann": pairs, "clip": {}})
    assert [number.name for number in numbers] == [
        "dann.a->b.dann.accuracy", "dann.a->b.mcc.accuracy", "dann.a->c.dann.accuracy",
    ]  # fmt: skip
    assert numbers[1] == Number("dann.a->b.mcc.accuracy", 0.45, 0.4, 0.6, 100, better=1)


def test_what_was_not_measured_is_left_out() -> None:
    records = {"ddpm": {"accuracy": 0.9, "digits": {"0": SHARE}}, "ddpm_ablation": {"ran": False}}
    assert headline.collect(records) == []
    assert headline.collect({}) == []


def test_a_number_may_have_no_interval() -> None:
    (number,) = headline.collect({"ddpm": {"svhn": {"recall": 0.8, "n": 500}}})
    assert number == Number("ddpm.svhn.recall", 0.8, None, None, 500, better=1)


def test_an_accuracy_has_the_outcomes_beside_it() -> None:
    outcomes = {"right": ["oA=="], "n": 3, "items": "0123456789abcdef"}
    digits = {"svhn": SHARE | {"recall": 0.8, "outcomes": outcomes}}
    accuracy, recall = headline.collect({"ddpm": digits})
    assert accuracy.outcomes == Outcomes(("oA==",), 3, "0123456789abcdef")
    assert recall.outcomes is None
    record = json.loads(json.dumps(headline.to_record([accuracy, recall])))
    assert [number.get("outcomes") for number in record["numbers"]] == [outcomes, None]
    assert headline.from_record(record) == [accuracy, recall]


def test_the_record_is_read_as_it_was_written() -> None:
    numbers = headline.collect({"judge": {"svhn": SHARE}})
    assert "outcomes" not in headline.to_record(numbers)["numbers"][0]
    assert headline.from_record(json.loads(json.dumps(headline.to_record(numbers)))) == numbers


@pytest.mark.parametrize("record", [{}, [], None, {"numbers": [{"name": "a"}]}, {"numbers": 3}])
def test_another_record_is_refused(record: object) -> None:
    with pytest.raises(ValueError, match="not a record of headline numbers"):
        headline.from_record(record)


def test_the_metrics_of_the_committed_run_fit_a_screen() -> None:
    details = {path.stem: json.loads(path.read_text()) for path in DETAILS.glob("*.json")}
    numbers = headline.collect(details)
    record = json.loads(json.dumps(headline.to_record(numbers)))  # lists instead of tuples
    assert record == details["headline"]
    assert 25 <= len(numbers) <= 40
    metrics = json.loads((DETAILS.parent / "metrics/headline.json").read_text())
    assert metrics == headline.nested(numbers)
    assert metrics["ddpm"]["mnistm"]["accuracy"] == details["ddpm"]["mnistm"]["accuracy"]

"""Outcomes are read as they were written, and name the items that they are of."""

import json

import numpy as np
import pytest

from hw2.evaluation import outcomes

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def written(right: np.ndarray, *items: np.ndarray | str | int) -> outcomes.Outcomes:
    record = json.loads(json.dumps(outcomes.encoded(right, *items)))
    return outcomes.from_record(record["outcomes"])


@pytest.mark.parametrize("shape", [(1, 1), (1, 8), (3, 9), (2, 2000)])
def test_outcomes_are_read_as_they_were_written(shape: tuple[int, int]) -> None:
    right = np.random.default_rng(1).random(shape) < 0.7
    assert np.array_equal(written(right, "a").decoded(), right)


def test_a_single_training_may_be_a_row() -> None:
    right = np.array([True, False, True])
    record = outcomes.encoded(right, "a")["outcomes"]
    # By hand: the bits 101 and five zeros are 160, which base64 writes as "oA==".
    assert record["right"] == ("oA==",)
    assert record["n"] == 3
    assert np.array_equal(written(right, "a").decoded(), right[None])


def test_the_hash_tells_items_apart() -> None:
    right = np.array([True, False])
    items = [
        (IMAGES, "a", 1), (IMAGES[::-1], "a", 1), (IMAGES.astype(np.int64), "a", 1),
        (IMAGES.reshape(2, 4, 3), "a", 1), (IMAGES, "b", 1), (IMAGES, "a", 2), (IMAGES, "a", "1"),
    ]  # fmt: skip
    hashes = [written(right, *item).items for item in items]
    assert len(set(hashes)) == len(hashes)
    assert written(~right, *items[0]).items == hashes[0]
    assert len(hashes[0]) == 16


GOOD = {"right": ["oA=="], "n": 3, "items": "0123456789abcdef"}


@pytest.mark.parametrize(
    "record",
    [
        None, [], {}, GOOD | {"right": []}, GOOD | {"right": ["o"]}, GOOD | {"n": 9},
        GOOD | {"n": None}, GOOD | {"items": 3}, GOOD | {"right": ["oA==", "oAA="]},
    ],
)  # fmt: skip
def test_another_record_is_refused(record: object) -> None:
    with pytest.raises(ValueError, match="not a record of"):
        outcomes.from_record(record)

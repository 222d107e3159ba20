"""Dividing real sets into train, val and test."""

import numpy as np
import pytest

from hw2.config import params
from hw2.digits.splits import Rows, divide
from hw2.runtime.errors import UserError


def data(**values: object) -> params.Data:
    every = {"train_images": None, "val_images": None, "test_images": None, "seed": 3}
    return params.load().data.model_copy(update=every | values)


def sizes_of(splits: dict[str, Rows]) -> dict[str, tuple[str, int]]:
    return {split: (rows.table, len(rows.rows)) for split, rows in splits.items()}


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        (
            {"train": 80, "val": 20, "test": 30},
            {"train": ("train", 80), "val": ("val", 20), "test": ("test", 30)},
        ),
        (
            {"train": 80, "val": 20},
            {"train": ("train", 72), "val": ("train", 8), "test": ("val", 20)},
        ),
        (
            {"train": 80, "test": 30},
            {"train": ("train", 72), "val": ("train", 8), "test": ("test", 30)},
        ),
        (
            {"train": 80},
            {"train": ("train", 64), "val": ("train", 8), "test": ("train", 8)},
        ),
    ],
)
def test_the_test_split_is_the_last_table_and_missing_splits_are_cut_from_train(
    sizes: dict[str, int], expected: dict[str, tuple[str, int]]
) -> None:
    splits = divide(sizes, data(), "svhn")
    assert sizes_of(splits) == expected
    cut = [rows.rows for rows in splits.values() if rows.table == "train"]
    assert len(np.unique(np.concatenate(cut))) == sum(map(len, cut)), "splits overlap"
    assert all((np.diff(rows.rows) > 0).all() for rows in splits.values())


def test_limits_set_the_sizes_and_the_seed_selects_the_rows() -> None:
    limits = {"train_images": 50, "val_images": 5, "test_images": 7}
    sizes = {"train": 80, "test": 30}
    splits = divide(sizes, data(**limits), "svhn")
    assert sizes_of(splits) == {"train": ("train", 50), "val": ("train", 5), "test": ("test", 7)}
    again, other = divide(sizes, data(**limits), "svhn"), divide(sizes, data(seed=4), "svhn")
    assert all((splits[split].rows == again[split].rows).all() for split in splits)
    assert not np.array_equal(other["val"].rows[:5], splits["val"].rows)


def test_a_limit_above_the_size_keeps_every_row() -> None:
    splits = divide({"train": 9, "val": 4, "test": 5}, data(test_images=99), "usps")
    assert sizes_of(splits)["test"] == ("test", 5)


def test_an_empty_split_is_reported() -> None:
    with pytest.raises(UserError, match="svhn: its 5 training images leave none for the val"):
        divide({"train": 5, "test": 3}, data(), "svhn")
    with pytest.raises(UserError, match="leave none for the train split; lower"):
        divide({"train": 10, "test": 3}, data(val_images=10), "svhn")

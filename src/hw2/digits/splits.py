"""The division of real data sets into the splits train, val and test.

A data set has a table `train`, and possibly `val` and `test`. Images of the test split must not be
used for training or for choices, so the test split is the last table of the set, and a split
without a table is cut from `train`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hw2 import rng
from hw2.config import params
from hw2.runtime.errors import UserError

_CUT = 10  # if no number is given, a missing split is a tenth of `train`


@dataclass(frozen=True)
class Rows:
    """Some rows of one table: int64 indices, ascending."""

    table: str
    rows: np.ndarray


def divide(sizes: Mapping[str, int], data: params.Data, domain: str) -> dict[str, Rows]:
    """Divide a domain whose tables have `sizes` rows into splits.

    If there are the tables train, val and test, these are the splits. With train and one other
    table, the other table is the test split and the val split is cut from train. With train alone,
    both are cut from it. `data.*_images` are upper limits, and `data.seed` selects the rows that
    are cut or kept.

    Returns:
        The rows of each split.

    Raises:
        UserError: if a split would be empty.
    """
    held_out = [table for table in ("test", "val") if sizes.get(table)]
    tables = {"test": held_out[0]} if held_out else {}
    if len(held_out) == 2:
        tables["val"] = held_out[1]
    limits = {"train": data.train_images, "val": data.val_images, "test": data.test_images}
    available = {split: np.arange(sizes[table]) for split, table in tables.items()}
    left = rng.numpy_rng(data.seed, "splits", domain).permutation(sizes.get("train", 0))
    for split in ("val", "test"):
        if split not in tables:
            cut = limits[split] or sizes.get("train", 0) // _CUT
            available[split], left = left[:cut], left[cut:]
    available["train"] = left
    divided = {}
    for split, rows in available.items():
        if not len(rows):
            raise UserError(
                f"{domain}: its {sizes.get('train', 0)} training images leave none for the"
                f" {split} split; lower data.val_images and data.test_images"
            )
        order = rng.numpy_rng(data.seed, "limit", domain, split).permutation(len(rows))
        kept = np.sort(rows[order[: limits[split]]])
        divided[split] = Rows(tables.get(split, "train"), kept)
    return divided

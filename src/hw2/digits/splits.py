"""How real data sets are divided into train, select and report.

A set comes in tables of its own: `train` always, `val` and `test` where it has them. What is
reported was never trained on or chosen by, so the report part is the last table that the set has,
and a part that is missing is cut from `train`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hw2 import rng
from hw2.config import params
from hw2.runtime.errors import UserError

_CUT = 10  # a missing part is a tenth of `train`, where no number is given


@dataclass(frozen=True)
class Rows:
    """Some rows of one table: int64 indices, ascending."""

    table: str
    rows: np.ndarray


def divide(sizes: Mapping[str, int], data: params.Data, domain: str) -> dict[str, Rows]:
    """Divide a domain whose tables have `sizes` rows: part to rows.

    With tables train, val and test these are the parts. With train and val, val is reported and
    select is cut from train; with train and test likewise. With train alone both are cut.
    `data.*_images` are upper limits, and `data.seed` draws what is cut or kept.

    Raises:
        UserError: if a part would be empty.
    """
    held_out = [table for table in ("test", "val") if sizes.get(table)]
    source = {"report": held_out[0]} if held_out else {}
    if len(held_out) == 2:
        source["select"] = held_out[1]
    limits = {"select": data.select_images, "report": data.report_images}
    whole = {part: np.arange(sizes[table]) for part, table in source.items()}
    left = rng.numpy_rng(data.seed, "parts", domain).permutation(sizes.get("train", 0))
    for part in ("select", "report"):
        if part not in source:
            cut = limits[part] or sizes.get("train", 0) // _CUT
            whole[part], left = left[:cut], left[cut:]
    whole["train"] = left
    limits["train"] = data.train_images
    found = {}
    for part, rows in whole.items():
        if not len(rows):
            raise UserError(
                f"{domain}: its {sizes.get('train', 0)} training images leave none for the"
                f" {part} part; lower data.select_images and data.report_images"
            )
        keep = rng.numpy_rng(data.seed, "limit", domain, part).permutation(len(rows))
        kept = np.sort(rows[keep[: limits[part]]])
        found[part] = Rows(source.get(part, "train"), kept)
    return found

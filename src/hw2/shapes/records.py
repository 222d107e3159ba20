"""Dataclasses of arrays that all have one row for each object, joined and chosen row by row."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

Part = TypeVar("Part", bound=Any)  # an array, or a dataclass of arrays


def selected(condition: np.ndarray, chosen: Part, other: Part) -> Part:
    """`np.where` along the first axis for arrays, and for dataclasses of arrays."""
    if isinstance(chosen, np.ndarray):
        shape = (-1, *[1] * (chosen.ndim - 1))
        return np.where(condition.reshape(shape), chosen, other)  # type: ignore[return-value]
    names = [field.name for field in fields(chosen)]
    return type(chosen)(
        **{k: selected(condition, getattr(chosen, k), getattr(other, k)) for k in names}
    )


def concatenated(parts: Sequence[Part]) -> Part:
    """`np.concatenate` for arrays, and for dataclasses of arrays."""
    first = parts[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)  # type: ignore[return-value]
    names = [field.name for field in fields(first)]
    return type(first)(**{k: concatenated([getattr(p, k) for p in parts]) for k in names})

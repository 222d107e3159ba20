"""Ranges of numbers that several sections of params.yaml share."""

from typing import Annotated, Any

from pydantic import Field

Seed = Annotated[int, Field(ge=0, lt=2**31, description="seed; streams are derived by name")]
Fraction = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]


def once(names: tuple[Any, ...]) -> tuple[Any, ...]:
    """A validator: no value stands there twice."""
    if len(set(names)) < len(names):
        raise ValueError("one stands there twice")
    return names

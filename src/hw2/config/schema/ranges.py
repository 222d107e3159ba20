"""Ranges of numbers that several sections of params.yaml share."""

from typing import Annotated, Any, Literal

from pydantic import Field

Seed = Annotated[
    int, Field(ge=0, lt=2**31, description="Seed of all random numbers of this section.")
]
RandomStreams = Annotated[
    Literal["device", "cpu"],
    Field(
        description=(
            "Where random numbers are drawn on a GPU: device draws them there, which is faster; "
            "cpu draws those of a CPU, to compare devices. A CPU ignores it."
        )
    ),
]
Fraction = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]


def once(names: tuple[Any, ...]) -> tuple[Any, ...]:
    """Validate that no value is repeated."""
    if len(set(names)) < len(names):
        raise ValueError("a value is repeated")
    return names

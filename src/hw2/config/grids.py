"""Grids of experiments from grids.yaml: values of parameters, each combination with several seeds.

A grid is a set of runs of the pipeline. The parameters `ddpm.sweep` are another thing: settings
that one stage compares on one trained model.
"""

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, Strict, model_validator

from hw2.config import loader
from hw2.runtime.errors import UserError

FILE = "grids.yaml"
SEED = "seed"  # name of the axis of seeds

Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Strict(False), Field(min_length=1)]
Values = Annotated[tuple[Any, ...], Strict(False), Field(min_length=1)]


@dataclass(frozen=True)
class Axis:
    """A direction of a grid: dotted keys that get the same value, and the values to try."""

    name: str
    keys: tuple[str, ...]
    values: tuple[Any, ...] = field(hash=False)  # lists among them have no hash


@dataclass(frozen=True)
class Point:
    """A value on each of some axes: on all of them it is a run, on fewer what runs share.

    Attributes:
        choices: Axes, each with the position of its value.
    """

    choices: tuple[tuple[Axis, int], ...]

    @property
    def values(self) -> dict[str, Any]:
        """The value of each dotted key."""
        return {key: axis.values[k] for axis, k in self.choices for key in axis.keys}

    @property
    def by_axis(self) -> dict[str, Any]:
        """The value on each axis, by the axis's name."""
        return {axis.name: axis.values[k] for axis, k in self.choices}

    @property
    def name(self) -> str:
        """A name for files, rules and experiments; `shared` without axes."""
        parts = [f"{name}-{_plain(value)}" for name, value in self.by_axis.items()]
        return "_".join(parts) or "shared"

    def on(self, axes: Sequence[Axis]) -> "Point":
        """The same values on these axes only."""
        return Point(tuple(choice for choice in self.choices if choice[0] in axes))


class Seeds(loader.Section):
    """The seeds of a grid."""

    keys: Texts = Field(description="Dotted keys of params.yaml that get the seed")
    values: Values = Field(description="The seeds, in the form that the keys take")


class Grid(loader.Section):
    """An entry of grids.yaml."""

    description: Text = Field(description="What the grid shows")
    stages: Texts = Field(description="The stages that each run needs, with what they depend on")
    numbers: Texts = Field(description="Names of headline numbers, where * stands for any text")
    seeds: Seeds = Field(description="Keys that get the seed, and the seeds")
    parameters: dict[Text, Values] = Field(
        min_length=1, description="The values to try, by dotted key of params.yaml"
    )
    settings: dict[Text, Any] = Field(
        default={}, description="Values of other keys that differ from params.yaml in every run"
    )

    @model_validator(mode="after")
    def _has_no_key_twice(self) -> "Grid":
        keys = [*self.seeds.keys, *self.parameters, *self.settings]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)}: named more than once; keep one of them")
        names = [point.name for point in combinations(self.axes)]
        if len(set(names)) < len(names):
            raise ValueError("a value is listed twice; keep one of them")
        return self

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The parameters in the order of the file, then the seed.

        An axis is named by the last part of its key, or by the whole key if that is not unique.
        """
        last = [key.rpartition(".")[2] for key in self.parameters] + [SEED]
        parameters = (
            Axis(short if last.count(short) == 1 else key, (key,), values)
            for short, (key, values) in zip(last, self.parameters.items(), strict=False)
        )
        return (*parameters, Axis(SEED, self.seeds.keys, self.seeds.values))

    @property
    def count(self) -> int:
        """The number of runs."""
        return math.prod(len(axis.values) for axis in self.axes)


def combinations(axes: Sequence[Axis]) -> Iterator[Point]:
    """Every combination of the values on these axes."""
    for positions in itertools.product(*(range(len(axis.values)) for axis in axes)):
        yield Point(tuple(zip(axes, positions, strict=True)))


def as_text(value: Any) -> str:
    """A value as short JSON, and text without quotes."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _plain(value: Any) -> str:
    """A value as a part of a file's name."""
    return re.sub(r"[^\w.-]+", "-", re.sub(r"[][{}\"]", "", as_text(value)))


def read(path: str | Path = FILE) -> dict[str, Grid]:
    """All grids by name, in the order of the file.

    Raises:
        UserError: if the file is missing, or an entry is no grid.
    """
    entries = loader.read_yaml(path)
    if not isinstance(entries, Mapping) or not all(isinstance(name, str) for name in entries):
        raise UserError(f"{path}: should map names to grids")
    return {name: loader.parse(Grid, entry, f"{path}: {name}") for name, entry in entries.items()}


def get(name: str, path: str | Path = FILE) -> Grid:
    """The grid of that name.

    Raises:
        UserError: if there is none, or the file is not valid.
    """
    grids = read(path)
    if name not in grids:
        raise UserError(f"{path}: no grid {name!r}; {loader.nearest(name, list(grids))}")
    return grids[name]

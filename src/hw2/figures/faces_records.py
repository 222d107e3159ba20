"""Reads and checks the records of the section on faces."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw2.figures import records
from hw2.figures.image_grids import Pixels
from hw2.figures.records import History, Interval
from hw2.io.files import read_table
from hw2.runtime.errors import UserError

INTERPOLATIONS = ("slerp", "lerp")
SPACINGS = ("course", "leading", "trailing")
MEASURES = ("norm_ratio", "variance", "contrast", "colorfulness")
CURVES = ("interpolation", "pair", "alpha", *MEASURES)


@dataclass(frozen=True)
class Eta:
    """Distances of faces with one eta, of pixels in [0, 1]."""

    eta: float
    distance: Interval  # to the face with eta = 0
    diversity: Interval  # between repetitions with the same noise


@dataclass(frozen=True)
class Middle:
    """Measures at alpha = 0.5 with one method of interpolation."""

    norm_ratio: float
    variance: float
    contrast: float  # of the face, relative to the endpoints, like `color`
    color: float
    smoothness: float  # largest difference of neighboring faces over the mean difference


@dataclass(frozen=True)
class Records:
    """Everything the section shows."""

    size: int
    noises: int
    pairs: int
    eta_faces: Pixels  # (E, K, S, S, 3): by eta and noise
    interpolated: dict[str, Pixels]  # (A, S, S, 3) of the first pair
    alphas: NDArray[np.float64]
    step_faces: dict[str, Pixels]  # by spacing: (K, C, S, S, 3)
    step_counts: tuple[int, ...]
    etas: tuple[Eta, ...]
    middle: dict[str, Middle]
    curves: dict[str, dict[str, NDArray[np.float64]]]  # method -> measure -> (pairs, A)
    step_distances: dict[str, tuple[float, ...]]  # by spacing, in the order of counts
    spacing_mse: dict[str, float]  # to the images with the spacing used, pixels 0 to 255
    mse: dict[str, float]  # to the ground truth by image, and `mean`; empty without a ground truth
    history: History | None  # None for a pretrained model


def read(
    *, faces_samples: Path, faces_interpolation: Path, faces_history: Path, faces_details: Path
) -> Records:
    """Read every record of the section.

    Raises:
        UserError: a record is missing, incomplete or not finite.
    """
    names = ("eta", *INTERPOLATIONS, "steps", "etas", "alphas", "step_counts")
    stored = records.arrays(faces_samples, names)
    for name, dims in (("eta", 6), ("slerp", 5), ("lerp", 5), ("steps", 6)):
        if stored[name].dtype != np.uint8 or stored[name].ndim != dims:
            raise UserError(f"{faces_samples}: '{name}' holds no images; {records.REMAKE}")
    if len(stored["steps"]) != len(SPACINGS):
        raise UserError(
            f"{faces_samples}: 'steps' is not of {len(SPACINGS)} spacings; {records.REMAKE}"
        )
    score = records.mapping(faces_details)
    step_counts = tuple(int(count) for count in stored["step_counts"])
    return Records(
        size=int(records.number(score, "size", str(faces_details))),
        noises=int(records.number(score, "noises", str(faces_details))),
        pairs=int(records.number(score, "pairs", str(faces_details))),
        eta_faces=stored["eta"][:, :, 0],
        interpolated={method: stored[method][0] for method in INTERPOLATIONS},
        alphas=stored["alphas"],
        step_faces=dict(zip(SPACINGS, stored["steps"], strict=True)),
        step_counts=step_counts,
        etas=tuple(_eta(f"{eta:g}", score, faces_details) for eta in stored["etas"].tolist()),
        middle={method: _middle(method, score, faces_details) for method in INTERPOLATIONS},
        curves=_curves(faces_interpolation, stored["alphas"]),
        step_distances={
            spacing: _distances(spacing, step_counts, score, faces_details) for spacing in SPACINGS
        },
        spacing_mse=_numbers(
            _inner(score, "spacing_mse", faces_details), f"{faces_details}, spacing_mse"
        ),
        mse=_numbers(score.get("mse", {}), f"{faces_details}, mse"),
        history=_history(faces_history),
    )


def _inner(record: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    inner = record.get(key)
    if not isinstance(inner, dict):
        raise UserError(f"{path}: '{key}' is missing; {records.REMAKE}")
    return inner


def _numbers(record: Mapping[str, Any], where: str) -> dict[str, float]:
    return {key: records.number(record, key, where) for key in record}


def _eta(name: str, score: Mapping[str, Any], path: Path) -> Eta:
    row = _inner(_inner(score, "eta", path), name, path)
    where = f"{path}, eta {name}"
    n = int(records.number(row, "n", where))

    def interval(key: str) -> Interval:
        value, low, high = (records.number(row, key + end, where) for end in ("", "_low", "_high"))
        return Interval(value, low, high, n)

    return Eta(float(name), interval("distance"), interval("diversity"))


def _middle(method: str, score: Mapping[str, Any], path: Path) -> Middle:
    row = _inner(_inner(score, "interpolation", path), method, path)
    names = (*MEASURES, "smoothness")
    return Middle(*(records.number(row, name, f"{path}, {method}") for name in names))


def _distances(
    spacing: str, counts: tuple[int, ...], score: Mapping[str, Any], path: Path
) -> tuple[float, ...]:
    row = _inner(_inner(score, "steps", path), spacing, path)
    return tuple(records.number(row, str(count), f"{path}, steps, {spacing}") for count in counts)


def _curves(path: Path, alphas: NDArray[np.float64]) -> dict[str, dict[str, NDArray[np.float64]]]:
    rows = records.table(path, CURVES)
    curves: dict[str, dict[str, NDArray[np.float64]]] = {}
    for method in INTERPOLATIONS:
        selected = [row for row in rows if row["interpolation"] == method]
        if not selected or len(selected) % len(alphas):
            raise UserError(f"{path}: {len(selected)} rows of {method}; {records.REMAKE}")
        curves[method] = {
            name: np.array(
                [records.number(row, name, f"{path}, {method}") for row in selected]
            ).reshape(-1, len(alphas))
            for name in MEASURES
        }
    return curves


def _history(path: Path) -> History | None:
    """None if the table has no rows, which is so for a pretrained model."""
    return records.history(path) if read_table(path) else None

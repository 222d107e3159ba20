"""Measure how eta, the number of steps, the timestep spacing and interpolation affect the faces."""

from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hw2.config import params
from hw2.diffusion.interpolation import lerp, slerp
from hw2.evaluation import image_metrics
from hw2.evaluation.diversity import within_label_distance
from hw2.faces import ground_truth, noises
from hw2.io import files
from hw2.stages.faces_sample import GRIDS

WAYS = {"slerp": slerp, "lerp": lerp}


def run(
    faces: params.Faces,
    *,
    faces_noise: Path,
    faces_images: Path,
    faces_samples: Path,
    faces_interpolation: Path,
    faces_metrics: Path,
) -> None:
    """Write the interpolation curves to `faces_interpolation` and all metrics to `faces_metrics`.

    Distances and contrasts are computed from pixels in [0, 1]; intervals are over noises.

    Raises:
        UserError: if `ddim.ground_truth` does not fit the images.
    """
    ddim = faces.ddim
    drawn = files.load_arrays(faces_samples)
    given = torch.stack(list(noises.read(faces_noise).values()))
    curves = _curves(drawn, given)
    middle = [row for row in curves if row["alpha"] == 0.5]
    record: dict[str, Any] = {
        "noises": len(given),
        "size": given.shape[-1],
        "pairs": len(drawn["slerp"]),
        "interpolation": {way: _middle(middle, drawn[way], way) for way in WAYS},
        "eta": _etas(drawn),
        "steps": _steps(drawn),
        "grid_mse": _grids(drawn, ddim.timestep_spacing),
    }
    if ddim.ground_truth is not None:
        record["mse"] = ground_truth.run(faces_images, Path(ddim.ground_truth))
    files.write_table(faces_interpolation, curves)
    files.write_metrics(faces_metrics, record)


def _curves(drawn: Mapping[str, np.ndarray], given: Tensor) -> list[dict[str, Any]]:
    """A row for each interpolation, pair of noises and alpha.

    It holds the norm of the interpolated noise relative to the mean norm of both ends, the variance
    of that noise, and the contrast and colorfulness of the face.
    """
    rows = []
    for (way, between), pair in product(WAYS.items(), range(len(drawn["slerp"]))):
        first, second = given[2 * pair].double(), given[2 * pair + 1].double()
        ends = float((first.norm() + second.norm()) / 2)
        contrasts = image_metrics.contrast(drawn[way][pair]).tolist()
        colors = image_metrics.colorfulness(drawn[way][pair]).tolist()
        for alpha, contrast, color in zip(drawn["alphas"].tolist(), contrasts, colors, strict=True):
            mixed = between(first, second, alpha)
            rows.append(
                {
                    "way": way,
                    "pair": pair,
                    "alpha": alpha,
                    "norm_ratio": float(mixed.norm()) / ends,
                    "variance": float(mixed.var(correction=0)),
                    "contrast": contrast,
                    "colour": color,
                }
            )
    return rows


def _middle(rows: list[dict[str, Any]], faces: np.ndarray, way: str) -> dict[str, float]:
    """Means over pairs at alpha = 0.5; contrast and color are relative to the ends of the path."""
    mine = [row for row in rows if row["way"] == way]

    def of_ends(name: str, measure: Callable[[np.ndarray], np.ndarray]) -> float:
        ends = measure(faces[:, [0, -1]]).mean(1)
        return float((np.array([row[name] for row in mine]) / ends).mean())

    uneven = image_metrics.unevenness(faces)
    return {
        "norm_ratio": float(np.mean([row["norm_ratio"] for row in mine])),
        "variance": float(np.mean([row["variance"] for row in mine])),
        "contrast": of_ends("contrast", image_metrics.contrast),
        "colour": of_ends("colour", image_metrics.colorfulness),
        "smoothness": float(uneven.mean()),
        "smoothness_first_pair": float(uneven[0]),
    }


def _etas(drawn: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """By eta: distance to the face without fresh noise, and diversity between repetitions."""
    table = {}
    faces = drawn["eta"]  # (E, noises, repetitions, S, S, 3)
    columns, repeats = faces.shape[1:3]
    labels = np.repeat(np.arange(columns), repeats)
    for eta, row in zip(drawn["etas"].tolist(), faces, strict=True):
        apart = image_metrics.distance(row, faces[0, :, :1]).mean(1)
        between = within_label_distance(row.reshape(-1, *row.shape[2:]), labels)
        table[f"{eta:g}"] = {
            **image_metrics.mean(apart).named("distance"),
            "diversity": between.value,
            "diversity_low": between.low,
            "diversity_high": between.high,
        }
    return table


def _steps(drawn: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """By timestep spacing and number of steps: distance to the face with the most steps."""
    counts = drawn["counts"].tolist()
    most = counts.index(max(counts))
    table: dict[str, dict[str, float]] = {}
    for grid, faces in zip(GRIDS, drawn["steps"], strict=True):
        apart = image_metrics.distance(faces, faces[:, most : most + 1]).mean(0)
        table[grid] = {str(count): float(d) for count, d in zip(counts, apart, strict=True)}
    return table


def _grids(drawn: Mapping[str, np.ndarray], used: str) -> dict[str, float]:
    """By timestep spacing: MSE on the 0-255 scale to the images of the spacing in use."""
    reference = drawn["grids"][GRIDS.index(used)]
    return {
        grid: float(
            np.mean([image_metrics.mse(a, b) for a, b in zip(faces, reference, strict=True)])
        )
        for grid, faces in zip(GRIDS, drawn["grids"], strict=True)
        if grid != used
    }

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
from hw2.stages.faces_sample import SPACINGS

INTERPOLATIONS = {"slerp": slerp, "lerp": lerp}


def run(
    faces: params.Faces,
    *,
    faces_noise: Path,
    faces_images: Path,
    faces_samples: Path,
    faces_interpolation: Path,
    faces_details: Path,
) -> None:
    """Write the interpolation curves to `faces_interpolation` and all metrics to `faces_details`.

    Distances and contrasts are computed from pixels in [0, 1]; intervals are over noises.

    Raises:
        UserError: if `ddim.ground_truth` does not fit the images.
    """
    ddim = faces.ddim
    sampled = files.load_arrays(faces_samples)
    initial = torch.stack(list(noises.read(faces_noise).values()))
    curves = _curves(sampled, initial)
    middle = [row for row in curves if row["alpha"] == 0.5]
    record: dict[str, Any] = {
        "noises": len(initial),
        "size": initial.shape[-1],
        "pairs": len(sampled["slerp"]),
        "interpolation": {
            method: _middle(middle, sampled[method], method) for method in INTERPOLATIONS
        },
        "eta": _etas(sampled),
        "steps": _steps(sampled),
        "spacing_mse": _spacing_mse(sampled, ddim.timestep_spacing),
    }
    if ddim.ground_truth is not None:
        record["mse"] = ground_truth.run(faces_images, Path(ddim.ground_truth))
    files.write_table(faces_interpolation, curves)
    files.write_metrics(faces_details, record)


def _curves(sampled: Mapping[str, np.ndarray], initial: Tensor) -> list[dict[str, Any]]:
    """A row for each interpolation, pair of noises and alpha.

    It holds the norm of the interpolated noise relative to the mean norm of both ends, the variance
    of that noise, and the contrast and colorfulness of the face.
    """
    rows = []
    for (method, between), pair in product(INTERPOLATIONS.items(), range(len(sampled["slerp"]))):
        first, second = initial[2 * pair].double(), initial[2 * pair + 1].double()
        ends = float((first.norm() + second.norm()) / 2)
        contrasts = image_metrics.contrast(sampled[method][pair]).tolist()
        colors = image_metrics.colorfulness(sampled[method][pair]).tolist()
        for alpha, contrast, color in zip(
            sampled["alphas"].tolist(), contrasts, colors, strict=True
        ):
            mixed = between(first, second, alpha)
            rows.append(
                {
                    "interpolation": method,
                    "pair": pair,
                    "alpha": alpha,
                    "norm_ratio": float(mixed.norm()) / ends,
                    "variance": float(mixed.var(correction=0)),
                    "contrast": contrast,
                    "colorfulness": color,
                }
            )
    return rows


def _middle(rows: list[dict[str, Any]], faces: np.ndarray, method: str) -> dict[str, float]:
    """Means over pairs at alpha = 0.5; contrast and color are relative to the ends of the path."""
    selected = [row for row in rows if row["interpolation"] == method]

    def of_ends(name: str, measure: Callable[[np.ndarray], np.ndarray]) -> float:
        ends = measure(faces[:, [0, -1]]).mean(1)
        return float((np.array([row[name] for row in selected]) / ends).mean())

    uneven = image_metrics.unevenness(faces)
    return {
        "norm_ratio": float(np.mean([row["norm_ratio"] for row in selected])),
        "variance": float(np.mean([row["variance"] for row in selected])),
        "contrast": of_ends("contrast", image_metrics.contrast),
        "colorfulness": of_ends("colorfulness", image_metrics.colorfulness),
        "smoothness": float(uneven.mean()),
        "smoothness_first_pair": float(uneven[0]),
    }


def _etas(sampled: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """By eta: distance to the face without fresh noise, and diversity between repetitions."""
    table = {}
    faces = sampled["eta"]  # (E, noises, repetitions, S, S, 3)
    columns, repeats = faces.shape[1:3]
    labels = np.repeat(np.arange(columns), repeats)
    for eta, row in zip(sampled["etas"].tolist(), faces, strict=True):
        apart = image_metrics.distance(row, faces[0, :, :1]).mean(1)
        between = within_label_distance(row.reshape(-1, *row.shape[2:]), labels)
        table[f"{eta:g}"] = {
            **image_metrics.mean(apart).named("distance"),
            "diversity": between.value,
            "diversity_low": between.low,
            "diversity_high": between.high,
        }
    return table


def _steps(sampled: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """By timestep spacing and number of steps: distance to the face with the most steps."""
    counts = sampled["step_counts"].tolist()
    most = counts.index(max(counts))
    table: dict[str, dict[str, float]] = {}
    for spacing, faces in zip(SPACINGS, sampled["steps"], strict=True):
        apart = image_metrics.distance(faces, faces[:, most : most + 1]).mean(0)
        table[spacing] = {str(count): float(d) for count, d in zip(counts, apart, strict=True)}
    return table


def _spacing_mse(sampled: Mapping[str, np.ndarray], used: str) -> dict[str, float]:
    """By timestep spacing: MSE on the 0-255 scale to the images of the spacing in use."""
    reference = sampled["spacings"][SPACINGS.index(used)]
    return {
        spacing: float(
            np.mean([image_metrics.mse(a, b) for a, b in zip(faces, reference, strict=True)])
        )
        for spacing, faces in zip(SPACINGS, sampled["spacings"], strict=True)
        if spacing != used
    }

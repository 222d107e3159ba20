"""Compare sampled faces with the ground truth, as in the course's grading."""

from pathlib import Path

import numpy as np

from hw2.evaluation.image_metrics import mse
from hw2.io import images
from hw2.io.file_tree import listed
from hw2.runtime.errors import UserError

THRESHOLD = 20  # the course's limit for the mean MSE


def run(out: Path, truth: Path) -> dict[str, float]:
    """The MSE of every image of `truth` to the image of the same name in `out`, and their `mean`.

    The MSE is of pixels from 0 to 255.

    Raises:
        UserError: if a folder has no PNG, or an image is missing, unreadable or of another size.
    """
    expected = listed(truth, (".png",))
    if not expected:
        raise UserError(f"{truth}: no images; name the folder with 00.png, 01.png ...")
    missing = [path.name for path in expected if not (out / path.name).is_file()]
    if missing:
        raise UserError(
            f"{out}: {len(missing)} of {len(expected)} images missing, {missing[0]} first;"
            " draw them with `hw2 faces`"
        )
    result = {}
    for path in expected:
        sampled, truth_image = (
            images.read(image, remedy="remake it") for image in (out / path.name, path)
        )
        if sampled.shape != truth_image.shape:
            sizes = " and ".join(
                f"{image.shape[1]}x{image.shape[0]}" for image in (sampled, truth_image)
            )
            raise UserError(f"{out / path.name}: sizes differ, {sizes}; use the model of {truth}")
        result[path.stem] = mse(sampled, truth_image)
    return {**result, "mean": float(np.mean(list(result.values())))}


def table(scores: dict[str, float]) -> str:
    """A line for each image, and a line that compares the mean with the course's limit."""
    lines = [f"{name}  {value:9.4f}" for name, value in scores.items() if name != "mean"]
    verdict = "below" if scores["mean"] < THRESHOLD else "NOT below"
    return "\n".join(
        [*lines, f"mean {scores['mean']:.4f}, {verdict} the course's {THRESHOLD} (0 to 255)"]
    )

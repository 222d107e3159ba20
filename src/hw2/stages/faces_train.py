"""Train the face model on drawn faces, or take the one that is given."""

from pathlib import Path

import torch

from hw2.config import params
from hw2.faces import course, hub, train
from hw2.faces import model as models
from hw2.io import files
from hw2.runtime.errors import UserError
from hw2.training.session import Session

COLUMNS = ("step", "loss", "lr")


def run(
    faces: params.Faces,
    *,
    faces_model: Path,
    faces_history: Path,
    checkpoints: Path,
    device: torch.device,
) -> None:
    """Write `faces_model`, whatever its origin, and the loss by step to `faces_history`, empty
    for a given one.

    Raises:
        UserError: if a given model is missing, or is not what `faces.source` says.
    """
    if faces.source == "trained":
        with Session(checkpoints) as session:
            resume = session.resume(train.identity(faces))
            weights, rows = train.fit(faces, resume, device)
            files.write_table(faces_history, rows, COLUMNS)
            models.save(faces_model, train.blueprint(faces), weights, train.levels(faces))
        return
    if faces.weights is None:
        raise UserError(f"faces.weights: null; say where the model of {faces.source} lies")
    if faces.source == "course":
        blueprint = models.COURSE
        weights, schedule = course.read(Path(faces.weights))
    else:
        blueprint, weights, schedule = hub.read(faces.weights, faces.revision)
    files.write_table(faces_history, [], COLUMNS)
    models.save(faces_model, blueprint, weights, schedule)

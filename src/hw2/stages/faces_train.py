"""Train the face model on synthetic faces, or convert a given model."""

from pathlib import Path

import torch

from hw2.config import params
from hw2.faces import course, hub, train
from hw2.faces import model as models
from hw2.io import files
from hw2.runtime.errors import UserError
from hw2.training import processes
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
    """Write the model to `faces_model` and the loss by step to `faces_history`.

    The history of a given model is empty.

    Raises:
        UserError: if a given model is missing, or does not match `faces.source`.
    """
    if faces.source == "trained":
        with Session(checkpoints) as session:
            resume = session.resume(train.identity(faces))
            weights, rows = train.train_faces(faces, resume, device)
            processes.end_all_but_first()
            files.write_table(faces_history, rows, COLUMNS)
            models.save(faces_model, train.blueprint(faces), weights, train.levels(faces))
        return
    processes.end_all_but_first()
    if faces.weights is None:
        raise UserError(f"faces.weights: null; set it to the model of source {faces.source}")
    if faces.source == "course":
        blueprint = models.COURSE
        weights, schedule = course.read(Path(faces.weights))
    else:
        blueprint, weights, schedule = hub.read(faces.weights, faces.revision)
    files.write_table(faces_history, [], COLUMNS)
    models.save(faces_model, blueprint, weights, schedule)

"""Train the face model, or take the one that is given."""

from hw2 import door
from hw2.tasks import train_faces


def main(job: door.Job) -> None:
    train_faces.run(
        job.params.faces,
        model=job.paths.faces_model,
        history=job.paths.faces_history,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

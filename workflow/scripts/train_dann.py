"""Train every row of the adaptation table."""

from hw2 import door
from hw2.tasks import train_dann


def main(job: door.Job) -> None:
    train_dann.run(
        job.params.dann,
        packed=job.paths.packed,
        models=job.paths.dann_models,
        history=job.paths.dann_history,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

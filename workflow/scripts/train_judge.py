"""Train the classifier that judges generated digits."""

from hw2 import door
from hw2.tasks import train_judge


def main(job: door.Job) -> None:
    train_judge.run(
        job.params.judge,
        packed=job.paths.packed,
        judge_dir=job.paths.judge,
        metrics=job.paths.judge_metrics,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

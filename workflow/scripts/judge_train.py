"""Train the classifier that judges generated digits."""

from hw2.pipeline import runner
from hw2.stages import judge_train


def main(job: runner.Job) -> None:
    judge_train.run(
        job.params.judge,
        packed=job.paths.packed,
        judge_dir=job.paths.judge,
        metrics=job.paths.judge_metrics,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

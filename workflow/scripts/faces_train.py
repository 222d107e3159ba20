"""Train the face model, or take the one that is given."""

from hw2.pipeline import runner
from hw2.stages import faces_train


def main(job: runner.Job) -> None:
    faces_train.run(
        job.params.faces,
        model=job.paths.faces_model,
        history=job.paths.faces_history,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

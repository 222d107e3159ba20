"""Train every row of the adaptation table."""

from hw2.pipeline import runner
from hw2.stages import dann_train


def main(job: runner.Job) -> None:
    dann_train.run(
        job.params.dann,
        packed=job.paths.packed,
        models=job.paths.dann_models,
        history=job.paths.dann_history,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

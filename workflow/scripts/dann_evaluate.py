"""Measure every row of the adaptation table."""

from hw2.pipeline import runner
from hw2.stages import dann_evaluate


def main(job: runner.Job) -> None:
    dann_evaluate.run(
        job.params.dann,
        packed=job.paths.packed,
        models=job.paths.dann_models,
        metrics=job.paths.dann_metrics,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

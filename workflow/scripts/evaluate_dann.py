"""Measure every row of the adaptation table."""

from hw2 import door
from hw2.tasks import evaluate_dann


def main(job: door.Job) -> None:
    evaluate_dann.run(
        job.params.dann,
        packed=job.paths.packed,
        models=job.paths.dann_models,
        metrics=job.paths.dann_metrics,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

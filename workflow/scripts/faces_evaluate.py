"""Measure what eta, steps and interpolation do to the faces."""

from hw2.pipeline import runner
from hw2.stages import faces_evaluate


def main(job: runner.Job) -> None:
    faces_evaluate.run(
        job.params.ddim,
        noise=job.paths.faces_noise,
        images=job.paths.faces_images,
        samples=job.paths.faces_samples,
        interpolation=job.paths.faces_interpolation,
        metrics=job.paths.faces_metrics,
    )


if __name__ == "__main__":
    runner.run(main)

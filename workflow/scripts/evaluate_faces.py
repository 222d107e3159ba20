"""Measure what eta, steps and interpolation do to the faces."""

from hw2 import door
from hw2.tasks import evaluate_faces


def main(job: door.Job) -> None:
    evaluate_faces.run(
        job.params.ddim,
        noise=job.paths.faces_noise,
        images=job.paths.faces_images,
        samples=job.paths.faces_samples,
        interpolation=job.paths.faces_interpolation,
        metrics=job.paths.faces_metrics,
    )


if __name__ == "__main__":
    door.run(main)

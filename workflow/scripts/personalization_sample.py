"""Draw the images that are graded."""

from hw2.pipeline import runner
from hw2.stages import personalization_sample


def main(job: runner.Job) -> None:
    personalization_sample.run(
        job.params.stable,
        job.params.inversion,
        model=job.paths.stable_model,
        embeddings=job.paths.inversion_embeddings,
        asked=job.paths.inversion_asked,
        out=job.paths.inversion_images,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

"""Draw faces with DDIM, in every setting that is compared."""

from hw2.pipeline import runner
from hw2.stages import faces_sample


def main(job: runner.Job) -> None:
    faces_sample.run(
        job.params.ddim,
        model=job.paths.faces_model,
        noise=job.paths.faces_noise,
        images=job.paths.faces_images,
        samples=job.paths.faces_samples,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

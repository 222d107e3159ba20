"""Draw faces with DDIM, in every setting that is compared."""

from hw2 import door
from hw2.tasks import sample_faces


def main(job: door.Job) -> None:
    sample_faces.run(
        job.params.ddim,
        model=job.paths.faces_model,
        noise=job.paths.faces_noise,
        images=job.paths.faces_images,
        samples=job.paths.faces_samples,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

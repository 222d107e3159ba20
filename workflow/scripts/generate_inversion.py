"""Draw the images that are graded."""

from hw2 import door
from hw2.tasks import generate_inversion


def main(job: door.Job) -> None:
    generate_inversion.run(
        job.params.stable,
        job.params.inversion,
        model=job.paths.stable_model,
        embeddings=job.paths.inversion_embeddings,
        asked=job.paths.inversion_asked,
        out=job.paths.inversion_images,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

"""Sample the digits that are reported."""

from hw2 import door
from hw2.tasks import sample_ddpm


def main(job: door.Job) -> None:
    sample_ddpm.run(
        job.params.sampling,
        model=job.paths.ddpm_model,
        guidance=job.paths.guidance,
        samples=job.paths.samples,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

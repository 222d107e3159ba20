"""Choose the guidance weight on the select part's seeds."""

from hw2 import door
from hw2.tasks import select_guidance


def main(job: door.Job) -> None:
    select_guidance.run(
        job.params.guidance,
        job.params.sampling,
        model=job.paths.ddpm_model,
        judge=job.paths.judge,
        packed=job.paths.packed,
        guidance=job.paths.guidance,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

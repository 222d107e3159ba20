"""Compare guidance weights and samplers."""

from hw2 import door
from hw2.tasks import sweep_ddpm


def main(job: door.Job) -> None:
    sweep_ddpm.run(
        job.params.sweep,
        job.params.sampling,
        job.params.guidance.convention,
        model=job.paths.ddpm_model,
        judge=job.paths.judge,
        packed=job.paths.packed,
        guidance=job.paths.guidance,
        sweep_table=job.paths.sweep,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

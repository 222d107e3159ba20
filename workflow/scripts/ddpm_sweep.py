"""Compare guidance weights and samplers."""

from hw2.pipeline import runner
from hw2.stages import ddpm_sweep


def main(job: runner.Job) -> None:
    ddpm_sweep.run(
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
    runner.run(main)

"""Choose the guidance weight on the select part's seeds."""

from hw2.pipeline import runner
from hw2.stages import ddpm_select_guidance


def main(job: runner.Job) -> None:
    ddpm_select_guidance.run(
        job.params.guidance,
        job.params.sampling,
        model=job.paths.ddpm_model,
        judge=job.paths.judge,
        packed=job.paths.packed,
        guidance=job.paths.guidance,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

"""Sample the digits that are reported."""

from hw2.pipeline import runner
from hw2.stages import ddpm_sample


def main(job: runner.Job) -> None:
    ddpm_sample.run(
        job.params.sampling,
        model=job.paths.ddpm_model,
        guidance=job.paths.guidance,
        samples=job.paths.samples,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

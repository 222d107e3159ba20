"""Judge the sampled digits."""

from hw2.pipeline import runner
from hw2.stages import ddpm_evaluate


def main(job: runner.Job) -> None:
    ddpm_evaluate.run(
        samples=job.paths.samples,
        judge=job.paths.judge,
        judge_metrics=job.paths.judge_metrics,
        sweep=job.paths.sweep,
        packed=job.paths.packed,
        metrics=job.paths.ddpm_metrics,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

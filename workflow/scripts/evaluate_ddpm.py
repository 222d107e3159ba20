"""Judge the sampled digits."""

from hw2 import door
from hw2.tasks import evaluate_ddpm


def main(job: door.Job) -> None:
    evaluate_ddpm.run(
        samples=job.paths.samples,
        judge=job.paths.judge,
        judge_metrics=job.paths.judge_metrics,
        sweep=job.paths.sweep,
        packed=job.paths.packed,
        metrics=job.paths.ddpm_metrics,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

"""Train and judge a model without condition dropout."""

from hw2.pipeline import runner
from hw2.stages import ddpm_ablate


def main(job: runner.Job) -> None:
    ddpm_ablate.run(
        job.params.ablation,
        job.params.ddpm,
        job.params.sampling,
        packed=job.paths.packed,
        judge=job.paths.judge,
        ablation_dir=job.paths.ablation,
        metrics=job.paths.ablation_metrics,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

"""Train and judge a model without condition dropout."""

from hw2 import door
from hw2.tasks import ablate_ddpm


def main(job: door.Job) -> None:
    ablate_ddpm.run(
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
    door.run(main)

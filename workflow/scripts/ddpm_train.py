"""Train the conditional DDPM on the train part."""

from hw2.pipeline import runner
from hw2.stages import ddpm_train


def main(job: runner.Job) -> None:
    ddpm_train.run(
        job.params.ddpm,
        packed=job.paths.packed,
        model=job.paths.ddpm_model,
        history=job.paths.ddpm_history,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

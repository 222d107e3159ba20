"""Train the conditional DDPM on the train part."""

from hw2 import door
from hw2.tasks import train_ddpm


def main(job: door.Job) -> None:
    train_ddpm.run(
        job.params.ddpm,
        packed=job.paths.packed,
        model=job.paths.ddpm_model,
        history=job.paths.ddpm_history,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

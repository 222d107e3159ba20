"""Train the embedded world's Stable Diffusion."""

from hw2 import door
from hw2.tasks import train_stable


def main(job: door.Job) -> None:
    train_stable.run(
        job.params.stable,
        job.params.shapes,
        clip_model=job.paths.clip_model,
        model=job.paths.stable_model,
        history=job.paths.stable_history,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

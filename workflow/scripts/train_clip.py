"""Train the small CLIP on the embedded world."""

from hw2 import door
from hw2.tasks import train_clip


def main(job: door.Job) -> None:
    train_clip.run(
        job.params.clip,
        job.params.shapes,
        model=job.paths.clip_model,
        history=job.paths.clip_history,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

"""Get the images of the zero-shot exam, and see that the weights are there."""

from hw2 import door
from hw2.tasks import fetch_clip


def main(job: door.Job) -> None:
    fetch_clip.run(
        job.params.zeroshot,
        job.params.shapes,
        job.params.data,
        own=job.paths.clip_model,
        raw=job.paths.raw,
        out=job.paths.clip_exam,
    )


if __name__ == "__main__":
    door.run(main)

"""Get the images of the zero-shot exam, and see that the weights are there."""

from hw2.pipeline import runner
from hw2.stages import clip_fetch


def main(job: runner.Job) -> None:
    clip_fetch.run(
        job.params.zeroshot,
        job.params.shapes,
        job.params.data,
        own=job.paths.clip_model,
        raw=job.paths.raw,
        out=job.paths.clip_exam,
    )


if __name__ == "__main__":
    runner.run(main)

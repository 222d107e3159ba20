"""Train the small CLIP on the embedded world."""

from hw2.pipeline import runner
from hw2.stages import clip_train


def main(job: runner.Job) -> None:
    clip_train.run(
        job.params.clip,
        job.params.shapes,
        model=job.paths.clip_model,
        history=job.paths.clip_history,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

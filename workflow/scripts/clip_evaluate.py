"""Classify the exam's images with every model and every prompt set."""

from hw2.pipeline import runner
from hw2.stages import clip_evaluate


def main(job: runner.Job) -> None:
    clip_evaluate.run(
        job.params.zeroshot,
        exam=job.paths.clip_exam,
        own=job.paths.clip_model,
        cache=job.paths.clip_cache,
        predictions=job.paths.clip_predictions,
        classes=job.paths.clip_classes,
        examples=job.paths.clip_examples,
        metrics=job.paths.clip_metrics,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

"""Classify the exam's images with every model and every prompt set."""

from hw2 import door
from hw2.tasks import evaluate_clip


def main(job: door.Job) -> None:
    evaluate_clip.run(
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
    door.run(main)

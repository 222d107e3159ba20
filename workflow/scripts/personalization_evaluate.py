"""Score the embedded model, the concepts and the ways to have two of them."""

from hw2.pipeline import runner
from hw2.stages import personalization_evaluate


def main(job: runner.Job) -> None:
    personalization_evaluate.run(
        job.params.stable,
        job.params.inversion,
        job.params.shapes,
        model=job.paths.stable_model,
        clip_model=job.paths.clip_model,
        concepts=job.paths.concepts,
        asked=job.paths.inversion_asked,
        images=job.paths.inversion_images,
        table=job.paths.several_table,
        samples=job.paths.inversion_samples,
        metrics=job.paths.inversion_metrics,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

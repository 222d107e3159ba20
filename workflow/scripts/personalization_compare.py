"""Compare the ways to have two concepts in one picture."""

from hw2.pipeline import runner
from hw2.stages import personalization_compare


def main(job: runner.Job) -> None:
    personalization_compare.run(
        job.params.stable,
        job.params.inversion,
        job.params.several,
        job.params.shapes,
        model=job.paths.stable_model,
        clip_model=job.paths.clip_model,
        concepts=job.paths.concepts,
        table=job.paths.several_table,
        images=job.paths.several_images,
        stored=job.paths.several_stored,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

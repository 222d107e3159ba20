"""Compare the ways to have two concepts in one picture."""

from hw2 import door
from hw2.tasks import compare_concepts


def main(job: door.Job) -> None:
    compare_concepts.run(
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
    door.run(main)

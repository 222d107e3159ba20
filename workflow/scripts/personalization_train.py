"""Learn every concept's token by textual inversion."""

from hw2.pipeline import runner
from hw2.stages import personalization_train


def main(job: runner.Job) -> None:
    personalization_train.run(
        job.params.stable,
        job.params.inversion,
        model=job.paths.stable_model,
        clip_model=job.paths.clip_model,
        concepts=job.paths.concepts,
        embeddings=job.paths.inversion_embeddings,
        history=job.paths.inversion_history,
        looks=job.paths.inversion_looks,
        asked=job.paths.inversion_asked,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

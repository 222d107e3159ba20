"""Learn every concept's token by textual inversion."""

from hw2 import door
from hw2.tasks import train_inversion


def main(job: door.Job) -> None:
    train_inversion.run(
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
    door.run(main)

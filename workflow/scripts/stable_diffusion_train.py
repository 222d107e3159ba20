"""Train the embedded world's Stable Diffusion."""

from hw2.pipeline import runner
from hw2.stages import stable_diffusion_train


def main(job: runner.Job) -> None:
    stable_diffusion_train.run(
        job.params.stable,
        job.params.shapes,
        clip_model=job.paths.clip_model,
        model=job.paths.stable_model,
        history=job.paths.stable_history,
        checkpoints=job.checkpoints,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

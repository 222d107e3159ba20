"""Lay out the features of the report part, before and after adaptation."""

from hw2.pipeline import runner
from hw2.stages import dann_tsne


def main(job: runner.Job) -> None:
    dann_tsne.run(
        job.params.dann,
        packed=job.paths.packed,
        models=job.paths.dann_models,
        tsne=job.paths.dann_tsne,
        device=job.device,
    )


if __name__ == "__main__":
    runner.run(main)

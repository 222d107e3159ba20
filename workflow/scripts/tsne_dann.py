"""Lay out the features of the report part, before and after adaptation."""

from hw2 import door
from hw2.tasks import tsne_dann


def main(job: door.Job) -> None:
    tsne_dann.run(
        job.params.dann,
        packed=job.paths.packed,
        models=job.paths.dann_models,
        tsne=job.paths.dann_tsne,
        device=job.device,
    )


if __name__ == "__main__":
    door.run(main)

"""Get the photographs of every concept and the prompts that are graded."""

from hw2 import door
from hw2.tasks import fetch_concepts


def main(job: door.Job) -> None:
    fetch_concepts.run(
        job.params.inversion,
        job.params.shapes,
        out=job.paths.concepts,
    )


if __name__ == "__main__":
    door.run(main)

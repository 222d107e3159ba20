"""Get the photographs of every concept and the prompts that are graded."""

from hw2.pipeline import runner
from hw2.stages import personalization_fetch


def main(job: runner.Job) -> None:
    personalization_fetch.run(
        job.params.inversion,
        job.params.shapes,
        out=job.paths.concepts,
    )


if __name__ == "__main__":
    runner.run(main)

"""Fingerprint the source that each stage runs."""

from hw2.pipeline import runner
from hw2.stages import code


def main(job: runner.Job) -> None:
    code.run(code=job.paths.code)


if __name__ == "__main__":
    runner.run(main)

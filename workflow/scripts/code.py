"""Fingerprint the source that each stage runs."""

from hw2 import door
from hw2.tasks import code


def main(job: door.Job) -> None:
    code.run(code=job.paths.code)


if __name__ == "__main__":
    door.run(main)

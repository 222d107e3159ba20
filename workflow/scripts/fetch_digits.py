"""Get the digits as one archive in the course's layout."""

from hw2 import door
from hw2.tasks import fetch_digits


def main(job: door.Job) -> None:
    fetch_digits.run(job.params.data, digits=job.paths.digits, raw=job.paths.raw)


if __name__ == "__main__":
    door.run(main)

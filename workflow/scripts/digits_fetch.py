"""Get the digits as one archive in the course's layout."""

from hw2.pipeline import runner
from hw2.stages import digits_fetch


def main(job: runner.Job) -> None:
    digits_fetch.run(job.params.data, digits=job.paths.digits, raw=job.paths.raw)


if __name__ == "__main__":
    runner.run(main)

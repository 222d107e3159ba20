"""Pack the digits into one array per part."""

from hw2.pipeline import runner
from hw2.stages import digits_pack


def main(job: runner.Job) -> None:
    digits_pack.run(digits=job.paths.digits, packed_dir=job.paths.packed)


if __name__ == "__main__":
    runner.run(main)

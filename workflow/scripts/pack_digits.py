"""Pack the digits into one array per part."""

from hw2 import door
from hw2.tasks import pack_digits


def main(job: door.Job) -> None:
    pack_digits.run(digits=job.paths.digits, packed_dir=job.paths.packed)


if __name__ == "__main__":
    door.run(main)
